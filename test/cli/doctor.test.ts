import { randomBytes } from 'node:crypto'
import { chmodSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { takeFreePort } from '../free-port.ts'
import { buildProgram, makeFolder, run, startProgram } from './program.ts'

beforeAll(buildProgram)

test('0 where all is well, 10 where something deserves a look, 11 where something is wrong', async () => {
  const dataDir = makeFolder()
  const port = String(await takeFreePort())
  const env = {
    AIS_AUTHN_SU_PASS: randomBytes(9).toString('hex'),
    AIS_AUTHN_SECRET_KEY: randomBytes(32).toString('hex'),
    AIS_AUTHN_PORT: port,
    GATEHOUSE_HOST: '127.0.0.1',
    AIS_AUTHN_EXTERNAL_URL: `http://127.0.0.1:${port}`,
  }
  const { AIS_AUTHN_SU_PASS: _, ...later } = env
  const examine = (...more: string[]) => run('gatehouse', ['doctor', '--data-dir', dataDir, ...more], { env: later })
  const service = await startProgram('gatehouse', ['serve', '--data-dir', dataDir], { env })

  const well = await examine('--full')
  expect([well.code, well.err]).toEqual([0, ''])
  expect(well.out).toMatch(/0 problems, 0 warnings, \d+ ok\.\n$/)
  for (const secret of [env.AIS_AUTHN_SU_PASS, env.AIS_AUTHN_SECRET_KEY]) expect(well.out).not.toContain(secret)

  chmodSync(join(dataDir, 'master.key'), 0o640)
  const look = await examine('--quiet')
  expect([look.code, look.out]).toEqual([10, expect.stringMatching(/^warning: files: the master key .* \(0640\)\n$/)])

  chmodSync(join(dataDir, 'master.key'), 0o644)
  await service.stop()
  const wrong = await examine('--json')
  expect(wrong.code).toBe(11)
  const { worst, findings, settings } = JSON.parse(wrong.out) as Record<string, unknown>
  expect(worst).toBe('problem')
  expect(findings).toContainEqual(expect.objectContaining({ area: 'files', check: 'mode', level: 'problem' }))
  expect(findings).toContainEqual(expect.objectContaining({ area: 'service', check: 'running', level: 'warning' }))
  expect(settings).toContainEqual(expect.objectContaining({ name: 'auth.secret', value: '********' }))
})
