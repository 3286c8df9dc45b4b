/** How the commands are called that explain access, compare it, and keep it as code. */
import type { Definition } from './client-program.ts'
import type { ExplainOptions } from './commands/explain.ts'
import type { CliContext } from './context.ts'

export function accessCommands(context: CliContext): readonly Definition[] {
  return [
    {
      usage: 'explain <asked...>',
      synopsis: [
        '[options] <user> <permission> <cluster> [bucket]',
        'explain [options] --token-file <path> <permission> <cluster> [bucket]',
      ],
      description:
        'may a user, or a token, do something on a cluster? Why, or what is missing? Exit code 14: not allowed',
      options: [
        ['--token-file <path>', 'ask for a token in place of a user: a file with its text, - for standard input'],
        ['--jti <id>', 'ask for a token that is known here, by its id'],
      ],
      example: 'explain ann PUT lake ais://photos',
      act: async (asked: readonly string[], options: ExplainOptions) =>
        (await import('./commands/explain.ts')).explain(asked, options, context),
    },
  ]
}
