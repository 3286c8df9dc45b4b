import { stripVTControlCharacters } from 'node:util'
import { InterruptedError } from './client-errors.ts'
import type { Terminal } from './context.ts'

const defaultColumns = 120

/** The process's own terminal. Questions go to standard error, so that standard output holds answers alone. */
export function openTerminal(): Terminal {
  const { stdin, stdout } = process
  let drawnLines = 0

  async function ask(question: string, isSecret: boolean): Promise<string> {
    const { createInterface } = await import('node:readline/promises')
    const { Writable } = await import('node:stream')
    // What readline echoes goes nowhere where a secret is typed.
    const silent = new Writable({ write: (_chunk, _encoding, done) => done() })
    const reader = createInterface({ input: stdin, output: isSecret ? silent : process.stderr, terminal: true })
    // Only now is the terminal's own echo off.
    process.stderr.write(question)
    const interrupted = new Promise<string>((_resolve, reject) => {
      reader.once('SIGINT', () => reject(new InterruptedError('nothing was done')))
      reader.once('close', () => reject(new InterruptedError('nothing was done')))
    })
    try {
      return await Promise.race([reader.question(''), interrupted])
    } finally {
      interrupted.catch(() => undefined)
      reader.close()
      if (isSecret) process.stderr.write('\n')
    }
  }

  return {
    isInput: stdin.isTTY === true,
    isOutput: stdout.isTTY === true,
    get columns() {
      return stdout.columns || defaultColumns
    },
    ask: (question) => ask(question, false),
    askSecret: (question) => ask(question, true),
    async readInput() {
      let text = ''
      stdin.setEncoding('utf8')
      for await (const part of stdin) text += part
      return text
    },
    draw(text) {
      const lines = text.split('\n')
      stdout.write(`${drawnLines > 0 ? `\u001b[${drawnLines}A` : ''}\u001b[0J${lines.join('\n')}\n`)
      const columns = stdout.columns || defaultColumns
      drawnLines = lines.reduce(
        (sum, line) => sum + Math.max(1, Math.ceil(stripVTControlCharacters(line).length / columns)),
        0,
      )
    },
  }
}
