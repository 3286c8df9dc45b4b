/** What a command does with its arguments and options; answers its exit code. Which those are, its usage and options say. */
type Act = (...given: never[]) => Promise<number>

export interface Definition {
  /** As commander writes it: `show <cluster>`. */
  readonly usage: string
  /** In place of what follows from `usage`, the ways to call it; the first without the command's name. */
  readonly synopsis?: readonly string[]
  readonly description: string
  readonly options?: readonly (readonly [flags: string, description: string])[]
  /** How it is called, without the program's name. */
  readonly example: string
  readonly act: Act
}

export const passwordOptions = [
  ['--password-stdin', 'read the password from standard input'],
  ['--password-file <path>', 'read the password from a file'],
  ['--password <password>', 'not safe: others can see it'],
] as const
