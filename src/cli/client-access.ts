/** How the commands are called that explain access, compare it, and keep it as code. */

import type { ApplyOptions } from './commands/apply.ts'
import type { ExplainOptions } from './commands/explain.ts'
import type { RoleDiffOptions } from './commands/role-diff.ts'
import type { CliContext } from './context.ts'
import type { Definition } from './definition.ts'

const files = ['-f, --file <path...>', 'YAML or JSON; several are one; - is standard input'] as const

export function accessCommands(context: CliContext): readonly Definition[] {
  return [
    {
      usage: 'explain <asked...>',
      synopsis: [
        '[options] <user> <permission> <cluster> [bucket]',
        'explain [options] --token-file <path> <permission> <cluster> [bucket]',
      ],
      description:
        'may a user, or a token, do something on a cluster? Why, or what is missing? Exit code 15: not allowed',
      options: [
        ['--token-file <path>', 'ask for a token in place of a user: a file with its text, - for standard input'],
        ['--jti <id>', 'ask for a token that is known here, by its id'],
      ],
      example: 'explain ann PUT lake ais://photos',
      act: async (asked: readonly string[], options: ExplainOptions) =>
        (await import('./commands/explain.ts')).explain(asked, options, context),
    },
    {
      usage: 'apply',
      description: 'make true what files say of clusters, roles and users, all or nothing',
      options: [
        files,
        ['--dry-run', 'show what would be done, and do nothing; exit code 14 where there is something to do'],
        ['--prune', 'remove what the lists of the files do not name'],
        ['-y, --yes', 'do not ask'],
        ['--all', 'show all of a long plan'],
      ],
      example: 'apply -f access.yaml --dry-run',
      act: async (options: ApplyOptions) => (await import('./commands/apply.ts')).applyAccess(options, context),
    },
  ]
}

export function roleDiffCommand(context: CliContext): Definition {
  return {
    usage: 'diff',
    description: 'who would gain and lose what if roles were edited so? Exit code 14: somebody would',
    options: [files, ['--limit <number>', 'how many groups of users are shown (default: 50)']],
    example: 'role diff -f viewer.yaml',
    act: async (options: RoleDiffOptions) => (await import('./commands/role-diff.ts')).diffRoles(options, context),
  }
}

export function schemaCommand(context: CliContext): Definition {
  return {
    usage: 'access',
    description: 'print the JSON schema of what apply takes',
    example: 'schema access > access.schema.json',
    act: async () => (await import('./commands/schema.ts')).printAccessSchema(context),
  }
}
