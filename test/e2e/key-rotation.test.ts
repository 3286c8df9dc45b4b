import { expect, test } from 'vitest'
import { passUntil, startProbed } from '../workers/probe-parts.ts'

const versions = ['4.3', '5.0'] as const

/** An alias has no dots. */
const named = (kind: string, version: string) => `${kind}-${version.replace('.', '')}`

test('two rotations within half a minute, and clusters of each kind of trust, lose nothing', async () => {
  await using it = await startProbed([
    ...versions.map(
      (version) => ({ alias: named('lookup', version), version, trust: 'discovery', proxies: 2 }) as const,
    ),
    ...versions.map(
      (version) => ({ alias: named('fixed', version), version, trust: 'static_key', proxies: 2 }) as const,
    ),
  ])
  const { service, clock } = it
  const tokens = await service.issueTokens(60)
  const revoked = tokens.splice(0, 20)
  for (const token of revoked) expect((await service.revoke(token)).status).toBe(200)
  const token = await service.adminToken()

  for (let rotation = 0; rotation < 2; rotation += 1) {
    const rotating = service.request('POST', '/v1/rotate-key', { token })
    let isOver = false
    void rotating.finally(() => {
      isOver = true
    })
    await passUntil(clock, () => isOver)
    expect(await rotating).toMatchObject({ status: 200, text: '' })
    for (const next of tokens.splice(0, 20)) {
      expect((await service.revoke(next)).status).toBe(200)
      revoked.push(next)
    }
  }
  const refused = service.log().filter(({ event }) => event === 'key.refused')
  for (const version of versions) {
    expect(refused.map(({ cluster }) => cluster)).toContain(service.cluster(named('fixed', version)).uuid)
  }
  expect(JSON.stringify(refused)).toContain('show public-key')

  // Those that look keys up ask again after half a minute; the others need to be given the key.
  const knowsAll = (alias: string) => revoked.every((one) => service.cluster(alias).knows(one))
  await passUntil(clock, () => versions.every((version) => knowsAll(named('lookup', version))))
  expect(knowsAll('fixed-50')).toBe(false)
  const status = () =>
    service
      .log()
      .filter(({ event, cluster }) => event === 'probe.ended' && cluster === service.cluster('fixed-50').uuid)
  expect(status().at(-1)).toMatchObject({ isKeyTrusted: false, reason: 'key_mismatch' })

  const { public_key: pem } = (await service.request('GET', '/v1/public-key')).json() as { public_key: string }
  for (const version of versions) service.cluster(named('fixed', version)).trust({ kind: 'static_key', pem })
  await passUntil(clock, () => versions.every((version) => knowsAll(named('fixed', version))))
  await passUntil(clock, () => status().at(-1)?.isKeyTrusted === true)
})
