/** `gatehouse completion`: a script for a shell. */
import type { Command } from 'commander'
import { UsageError } from '../client-errors.ts'
import { type CommandTree, presentCompletion, type Shell, shells } from '../completion-scripts.ts'
import type { CliContext } from '../context.ts'

/** @throws UsageError */
export function printCompletion(shell: string, program: Command, { print }: CliContext): void {
  if (!isShell(shell)) throw new UsageError(`there is no completion for ${shell}: name one of ${shells.join(', ')}`)
  print(presentCompletion(shell, treeOf(program)))
}

function isShell(text: string): text is Shell {
  return shells.some((shell) => shell === text)
}

function treeOf(command: Command): CommandTree {
  const flags = command.options.flatMap(({ long, description, required, optional }) =>
    long ? [{ name: long, description: firstPart(description), takesValue: required || optional }] : [],
  )
  return {
    name: command.name(),
    description: firstPart(command.description()),
    commands: command.commands.map(treeOf),
    flags: [...flags, { name: '--help', description: 'show how it is called', takesValue: false }],
  }
}

/** Without what stands in brackets at the end: there is one line for it. */
function firstPart(description: string): string {
  return description.replace(/ \([^()]*\)$/, '')
}
