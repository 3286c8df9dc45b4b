import { randomBytes } from 'node:crypto'
import { closeSync, mkdtempSync, openSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { createLog } from '../src/log.ts'
import { openLogDestination } from '../src/log-destination.ts'
import { isSecretName } from '../src/log-redaction.ts'

function openFile() {
  const file = join(mkdtempSync(join(tmpdir(), 'gatehouse-log-')), 'log')
  const fd = openSync(file, 'w')
  onTestFinished(() => closeSync(fd))
  return { fd, text: () => readFileSync(file, 'utf8') }
}

function openLog(level = 3) {
  const { fd, text } = openFile()
  const log = createLog({ level, fd })
  const lines = () =>
    text()
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
  return { log, text, lines }
}

const secret = randomBytes(12).toString('hex')
const part = () => randomBytes(24).toString('base64url')
const token = `eyJ${part()}.eyJ${part()}.${part()}`

test('a line is one JSON object with its level, time and event', async () => {
  const { log, lines } = openLog()
  log.info({ event: 'http.answered', status: 200 })
  await log.close()
  expect(lines()).toEqual([
    { level: 'info', time: expect.stringMatching(/^\d{4}-.*Z$/), event: 'http.answered', status: 200 },
  ])
})

test.each([
  [0, 'warn error'],
  [1, 'warn error'],
  [2, 'info warn error'],
  [3, 'info warn error'],
  [4, 'debug info warn error'],
  [5, 'debug info warn error'],
])('level %i of AIStore writes %s, also when it is set while running', async (level, expected) => {
  for (const startLevel of [level, 5 - level]) {
    const { log, lines } = openLog(startLevel)
    log.setLevel(level)
    for (const name of ['debug', 'info', 'warn'] as const) log[name]({ event: 'probe.ended' })
    log.error({ event: 'process.failed' })
    await log.close()
    expect(lines().map((line) => line.level)).toEqual(expected.split(' '))
  }
})

test('what is secret by its name is masked, however it is written and however deep', async () => {
  const { log, text } = openLog()
  log.info({
    event: 'service.started',
    token: secret,
    Authorization: secret,
    'X-Amz-Security-Token': secret,
    pass: secret,
    newPassword: secret,
    private_key: { pem: secret },
    headers: { 'set-cookie': [secret], nested: [{ clientSecret: secret }] },
    tokens: [secret],
  })
  await log.close()
  expect(text()).not.toContain(secret)
  expect(text()).toContain('[redacted]')
})

test('numbers, and names that only sound alike, stay', async () => {
  const { log, lines } = openLog()
  log.info({ event: 'service.started', tokens: 4, tokenId: 'jti', bypass: 'yes', keyId: 'kid', hasPassword: true })
  await log.close()
  expect(lines()[0]).toMatchObject({ tokens: 4, tokenId: 'jti', bypass: 'yes', keyId: 'kid', hasPassword: true })
  expect(isSecretName('password')).toBe(true)
})

test('tokens and credentials in URLs are masked wherever they stand', async () => {
  const { log, text } = openLog()
  log.warn({
    event: 'key.refused',
    said: `not authorized: "${token}"`,
    list: [`http://user:${secret}@host/`, `Bearer ${secret}`],
    error: new Error(`refused ${token}`, { cause: new Error(`http://user:p@${secret}@host/`) }),
  })
  await log.close()
  expect(text()).not.toContain(secret)
  for (const piece of token.split('.')) expect(text()).not.toContain(piece)
})

test('an error shows its name, message, code, stack and causes, and not what else hangs on it', async () => {
  const { log, lines, text } = openLog()
  const cause = Object.assign(new TypeError('inner'), { code: 'ECONNRESET', request: { body: secret } })
  log.error({ event: 'process.failed', error: new Error('outer', { cause }), reason: 'plain' })
  await log.close()
  expect(lines()[0]).toMatchObject({
    error: {
      name: 'Error',
      message: 'outer',
      stack: expect.stringContaining('log.test.ts'),
      cause: { name: 'TypeError', message: 'inner', code: 'ECONNRESET' },
    },
    reason: 'plain',
  })
  expect(text()).not.toContain(secret)
})

test('values that JSON has no form for do not break a line', async () => {
  const { log, lines } = openLog()
  const loop: Record<string, unknown> = {}
  loop.self = loop
  const at = new Date(0)
  log.info({
    event: 'service.started',
    big: 2n ** 64n,
    at,
    no: undefined,
    map: new Map([[1, 2]]),
    bytes: Buffer.alloc(4),
    loop,
  })
  log.info({ event: 'service.started', many: Array.from({ length: 60 }, (_, index) => index) })
  await log.close()
  expect(lines()[0]).toMatchObject({
    big: '18446744073709551616',
    at: '1970-01-01T00:00:00.000Z',
    map: '[1 entries]',
    bytes: '[4 bytes]',
  })
  expect(lines()[1]?.many).toHaveLength(51)
})

test('all lines are written in order, also more than fit one piece', async () => {
  const { log, lines } = openLog()
  for (let index = 0; index < 3000; index += 1) log.info({ event: 'service.started', index })
  await log.close()
  expect(lines().map((line) => line.index)).toEqual(Array.from({ length: 3000 }, (_, index) => index))
})

test('a flush has written everything when it returns', () => {
  const { log, lines } = openLog()
  log.info({ event: 'service.stopped' })
  log.flush()
  expect(lines()).toHaveLength(1)
})

test('a reader that does not keep up costs lines, and is told how many', async () => {
  const { fd, text } = openFile()
  const destination = openLogDestination(fd, (lines) => `lost ${lines}\n`)
  const line = `${'x'.repeat(1023)}\n`
  for (let index = 0; index < 10_000; index += 1) destination.write(line)
  await destination.close()
  const lost = Number(/lost (\d+)/.exec(text())?.[1])
  expect(lost).toBeGreaterThan(0)
  expect(text().split('\n').length - 2).toBe(10_000 - lost)
})

test('a destination that can not be written to stops nobody', async () => {
  const fd = openSync('/dev/full', 'w')
  onTestFinished(() => closeSync(fd))
  const log = createLog({ level: 3, fd })
  for (let index = 0; index < 1000; index += 1) log.info({ event: 'service.started' })
  log.flush()
  await log.close()
})
