import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { run } from './program.ts'

/** What bash offers behind these words. */
async function offered(words: readonly string[]): Promise<string[]> {
  const { out } = await run('gatehouse', ['completion', 'bash'])
  const quoted = ['gatehouse', ...words].map((word) => `'${word}'`).join(' ')
  const script = `${out}
COMP_WORDS=(${quoted}); COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)); _gatehouse; printf '%s\\n' "\${COMPREPLY[@]}"`
  return execFileSync('bash', ['-c', script], { encoding: 'utf8' }).split('\n').filter(Boolean)
}

test('bash is offered the commands, then those below, then their flags', async () => {
  expect(await offered(['rev'])).toEqual(['revoke', 'revocation'])
  expect(await offered(['cluster', ''])).toEqual(expect.arrayContaining(['list', 'show', 'resync', '--help']))
  expect(await offered(['cluster', 'show', '--j'])).toEqual(['--json'])
})

test('a flag with its value does not hide where one is', async () => {
  expect(await offered(['--url', 'revoke', 'revocation', 's'])).toEqual(['show'])
  expect(await offered(['cluster', 'show', '--url', 'list', '--q'])).toEqual(['--quiet'])
})

test.each(['zsh', 'fish'])('%s gets a script with every command', async (shell) => {
  const { code, out } = await run('gatehouse', ['completion', shell])
  expect(code).toBe(0)
  for (const word of ['serve', 'cluster resync', 'completion', 'reset-password']) expect(out).toContain(word)
})

test('another shell is refused with those there are', async () => {
  const { code, err } = await run('gatehouse', ['completion', 'tcsh'])
  expect(code).toBe(2)
  expect(err).toContain('bash, zsh, fish')
})
