import { copyFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createBackup } from '../../src/store/backup/create.ts'
import { restoreBackup } from '../../src/store/backup/restore.ts'
import { findPlaces } from '../../src/store/places.ts'
import { startService, type TestService } from '../service.ts'
import { mint, secretKey } from '../stand-ins/aistore-mint.ts'

async function backUp({ config, clock }: TestService): Promise<string> {
  const { database, signingKey } = findPlaces(config)
  const path = join(config.dataDir, 'backup')
  const masterKey = Buffer.from(config.masterKey ?? '', 'base64')
  const about = { externalUrl: config.net.externalUrl, program: '1', clock }
  await createBackup({ database, signingKey, masterKey, ...about }, path)
  return path
}

function restore(path: string, { config, clock }: TestService) {
  return restoreBackup(path, findPlaces(config), { now: clock.now(), force: true })
}

function removeDatabase({ config }: TestService): void {
  for (const suffix of ['', '-wal', '-shm']) rmSync(`${config.databaseFile}${suffix}`, { force: true })
}

const login = ({ administrator, login }: TestService) => login(administrator.name, administrator.password)
const read = async (service: TestService, token: string) =>
  (await service.request('GET', '/v1/users', { token })).status
const toldOf = (service: TestService) => service.log().filter(({ event }) => event === 'store.restored')

test('after a restore without the old database: old tokens go on, later ones open nothing, clusters that forgot have everything', async () => {
  await using service = await startService({ store: 'file', clusters: ['lake', 'pond'] })
  const [revoked = ''] = await service.issueTokens(1)
  expect((await service.revoke(revoked)).status).toBe(200)
  const before = await login(service)
  const path = await backUp(service)
  const later = await login(service)
  expect(await read(service, later)).toBe(200)

  await service.restart(async () => {
    removeDatabase(service)
    for (const alias of ['lake', 'pond']) {
      await service.cluster(alias).stop()
      await service.cluster(alias).start()
    }
    await restore(path, service)
  })
  expect(service.cluster('lake').knows(revoked)).toBe(false)
  await service.settled()
  for (const alias of ['lake', 'pond']) expect(service.cluster(alias).knows(revoked)).toBe(true)
  expect(await read(service, before)).toBe(200)
  const refused = await service.request('GET', '/api/v1/whoami', { token: later })
  expect(refused.status).toBe(401)
  expect(refused.text).toContain(
    'The token is not good: it was issued after the backup that was restored. Log in again.',
  )
  expect(await read(service, await login(service))).toBe(200)
  // Somebody who has its text may have it revoked, as ever.
  expect((await service.revoke(later)).status).toBe(200)
  await service.settled()

  expect(toldOf(service)).toEqual([expect.objectContaining({ level: 'warn', backup: 'backup', resyncing: 2 })])
  await service.restart()
  expect(toldOf(service)).toHaveLength(1)
  expect(await read(service, later)).toBe(401)
})

test('after a restore over a database that can be read, what it had revoked since is revoked, here and on clusters that forgot', async () => {
  await using service = await startService({ store: 'file', clusters: ['lake'] })
  const [token = ''] = await service.issueTokens(1)
  const session = await login(service)
  const path = await backUp(service)
  for (const text of [token, session]) expect((await service.revoke(text)).status).toBe(200)
  await service.restart(async () => {
    await service.cluster('lake').stop()
    await service.cluster('lake').start()
    await restore(path, service)
  })
  expect(await read(service, session)).toBe(401)
  await service.settled()
  expect(service.cluster('lake').knows(token)).toBe(true)
})

test('a signing key that is missing, or another, is put back by the first start where the restore was cut short', async () => {
  await using service = await startService({ store: 'file', clusters: ['lake'] })
  const token = await login(service)
  const path = await backUp(service)
  await service.restart(async () => {
    rmSync(service.config.signingKey.file)
    await leaveKeyUnwritten(path, service)
  })
  expect(await read(service, token)).toBe(200)
  expect((await service.request('GET', '/v1/public-key')).json()).toEqual({ public_key: service.publicKeyPem })
})

/** As it is when the database has taken its name and nothing more. */
async function leaveKeyUnwritten(path: string, service: TestService): Promise<void> {
  const failing = {
    ...findPlaces(service.config),
    signingKey: { path: 'key', read: async () => undefined, write: fail },
  }
  await expect(restoreBackup(path, failing, { now: service.clock.now(), force: true })).rejects.toThrow('killed')
}

async function fail(): Promise<never> {
  throw new Error('killed')
}

test('a database that was put back by hand brings no token with it that it has no record of, and none of a replaced server is lost', async () => {
  await using service = await startService({ store: 'file', algorithm: 'HS256' })
  const { databaseFile, net } = service.config
  const copy = `${databaseFile}.copy`
  await service.restart(async () => copyFileSync(databaseFile, copy))
  const later = await login(service)
  await service.restart(async () => {
    removeDatabase(service)
    copyFileSync(copy, databaseFile)
  })
  expect(await read(service, later)).toBe(401)
  const ofAuthn = mint(secretKey(service.sharedSecret), { sub: 'admin', iss: net.externalUrl, admin: true })
  expect(await read(service, ofAuthn)).toBe(200)
})
