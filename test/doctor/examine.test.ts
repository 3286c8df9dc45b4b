import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { systemClock } from '../../src/core/clock.ts'
import { examine } from '../../src/doctor/examine.ts'
import { startService, type TestService } from '../service.ts'

async function look(
  service: TestService,
  more: { readonly isOffline?: boolean; readonly env?: Record<string, string> } = {},
) {
  const { dataDir, masterKey = '', net } = service.config
  const env = {
    GATEHOUSE_DATA_DIR: dataDir,
    GATEHOUSE_MASTER_KEY: masterKey,
    GATEHOUSE_HOST: '127.0.0.1',
    AIS_AUTHN_PORT: String(net.port),
    AIS_AUTHN_EXTERNAL_URL: net.externalUrl,
    ...more.env,
  }
  const options = {
    isFull: true,
    isOffline: more.isOffline === true,
    clock: systemClock,
    signal: new AbortController().signal,
  }
  const { findings } = await examine({ input: { env }, ...options })
  return findings.filter(({ level }) => level !== 'ok').map(({ area, check, says }) => ({ area, check, says }))
}

test('a service and clusters of both ways of trust, all well: nothing is found, and nothing is changed by looking', async () => {
  const trust = 'static_key'
  await using service = await startService({ store: 'file', clusters: ['lake', { alias: 'pond', trust, proxies: 3 }] })
  const listFiles = () =>
    readdirSync(service.config.dataDir).map((name) => [name, statSync(join(service.config.dataDir, name)).mode])
  const before = listFiles()
  const pushes = service.cluster('lake').tokenCalls().length
  expect(await look(service)).toEqual([])
  expect(listFiles()).toEqual(before)
  expect(service.cluster('lake').tokenCalls()).toHaveLength(pushes)
})

test('each thing that is wrong with a cluster is named', async () => {
  await using service = await startService({ store: 'file', clusters: ['down', 'open', 'moved'] })
  await service.cluster('down').stop()
  await service.cluster('open').stop()
  await service.cluster('moved').stop()
  const [openUrl = '', movedUrl = ''] = ['open', 'moved'].map((alias) => service.cluster(alias).url)
  const ports = (url: string) => ({ ports: [Number(new URL(url).port)] })
  const { uuid } = service.cluster('open')
  await service.startCluster({ alias: 'open', clientAuth: false, uuid, ...ports(openUrl) })
  await service.startCluster({ alias: 'moved', ...ports(movedUrl) })
  const found = await look(service)
  expect(found.map(({ check, says }) => `${check} ${says.split(':')[0]}`).sort()).toEqual([
    'authentication open',
    'reach down',
    // Another cluster, which takes our token for none of its own.
    'reach moved',
  ])
})

test('a cluster that holds another key is named, whether or not the service runs', async () => {
  await using service = await startService({ store: 'file', algorithm: 'HS256', clusters: ['lake'] })
  const env = { AIS_AUTHN_SECRET_KEY: `${service.sharedSecret}${service.sharedSecret}` }
  expect((await look(service, { env })).map(({ check }) => check)).toEqual(['key_trust'])
  expect(await look(service, { env: { AIS_AUTHN_SECRET_KEY: service.sharedSecret } })).toEqual([])
})

test('offline nothing is asked, and what the store knows is told', async () => {
  await using service = await startService({ store: 'file', clusters: ['lake'] })
  await service.cluster('lake').stop()
  expect(await look(service, { isOffline: true })).toEqual([])
})

test('a master key that does not open the database is named, and clusters are said not to be looked at', async () => {
  await using service = await startService({ store: 'file' })
  const other = Buffer.alloc(32, 1).toString('base64')
  const found = await look(service, { env: { GATEHOUSE_MASTER_KEY: other } })
  expect(found.map(({ area, check }) => `${area}.${check}`)).toEqual(['keys.master_key', 'clusters.unseen'])
})
