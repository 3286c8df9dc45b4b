import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from 'commander'
import { expect, test } from 'vitest'
import type { CliContext } from '../src/cli/context.ts'
import { createProgram } from '../src/cli/program.ts'

const root = new URL('..', import.meta.url).pathname
const documents = ['README.md']
  .concat(readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' }).map((file) => join('docs', file)))
  .filter((file) => file.endsWith('.md') && !file.startsWith('docs/reference/'))

/** Only described, never run. */
const context: CliContext = new Proxy({} as CliContext, { get: () => () => undefined })
const program = createProgram(context, () => undefined)

/** What a reader may type: lines after a prompt, lines of scripts, and code within sentences. */
function typedIn(text: string): readonly string[] {
  const blocks = [...text.matchAll(/^```(\w*)\n([\s\S]*?)^```/gm)].flatMap(([, kind, body = '']) => {
    const lines = body.replaceAll('\\\n', ' ').split('\n')
    if (kind === 'console') return lines.filter((line) => line.startsWith('$ ')).map((line) => line.slice(2))
    return kind === 'sh' || kind === 'bash' ? lines : []
  })
  const prose = text.replaceAll(/^```[\s\S]*?^```/gm, '')
  const spans = [...prose.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code.replaceAll(/\s+/g, ' '))
  return [...blocks, ...spans.filter((code) => code.startsWith('gatehouse '))]
}

/** The words after `gatehouse` of each call of it in a line; what is quoted is one word. */
function callsIn(line: string): readonly (readonly string[])[] {
  const bare = line.replaceAll(/'[^']*'|"(?:[^"$]|\$(?!\())*"/g, 'quoted').replace(/(^|\s)#.*/, '')
  // Where a command stands: first, behind variables or another command, in a table of cron, or in a container.
  const calls = bare.matchAll(/(?:^|[;&|(*]|npx|exec gatehouse|bin\/)\s*(?:\w+=\S*\s+)*gatehouse +([^|;&<>)]*)/g)
  return [...calls].map(([, words = '']) => words.split(/\s+/).filter((word) => word !== '' && !/^[….]+$/.test(word)))
}

/** What is wrong with a call, or undefined. */
function objection(words: readonly string[], command: Command = program): string | undefined {
  const [first, ...rest] = words
  const member = command.commands.find((each) => each.name() === first)
  if (member !== undefined) return objection(rest, member)
  const isGroup = command.commands.length > 0 && command.registeredArguments.length === 0
  if (isGroup && first !== undefined && /^[a-z]/.test(first)) return `${command.name()} has no command ${first}`
  const unknown = words
    .filter((word) => /^--[a-z]|^-[a-zA-Z]$/.test(word))
    .map((word) => word.replace(/=.*/, ''))
    .find((flag) => !isFlag(flag, command))
  return unknown && `${command.name()} has no flag ${unknown}`
}

function isFlag(flag: string, command: Command): boolean {
  if (flag === '--help' || flag === '-h') return true
  return command.options.some(({ long, short }) => flag === long || flag === short)
}

const typed = documents.map((file) => ({ file, lines: typedIn(readFileSync(join(root, file), 'utf8')) }))

test.each(typed)('every `gatehouse` command that $file shows is there, with its flags', ({ lines }) => {
  const wrong = lines.flatMap((line) =>
    callsIn(line).flatMap((words) => {
      const found = objection(words)
      return found === undefined ? [] : [`${line}: ${found}`]
    }),
  )
  expect(wrong).toEqual([])
})

test('commands and flags that are not there are noticed', () => {
  const wrong = (line: string) => callsIn(line).map((words) => objection(words))
  expect(wrong('X=1 gatehouse users list && gatehouse user list --jason')).toEqual([
    'gatehouse has no command users',
    'list has no flag --jason',
  ])
  expect(wrong("A=$(gatehouse login 'a --b' --print-tokens) # gatehouse users")).toEqual([
    'login has no flag --print-tokens',
  ])
  expect(wrong('gatehouse backup /var/backups --verify; gatehouse token show - < file')).toEqual([undefined, undefined])
  expect(typed.flatMap(({ lines }) => lines.flatMap(callsIn)).length).toBeGreaterThan(150)
})
