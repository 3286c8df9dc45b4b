/** Taking in a cluster that must first hear of every live revocation. */
import { readMemory } from '../children.ts'
import { registerCluster, startClusters } from '../cluster-host.ts'
import { median } from '../load.ts'
import { watchStalls } from '../stalls.ts'
import type { Workbench } from '../workbench.ts'

export async function measureRegistration(bench: Workbench): Promise<void> {
  const isRegistrationWanted = bench.wants('registration')
  if (!isRegistrationWanted) return
  await using server = await bench.start(await bench.fullFolder())
  const clusters = startClusters()
  const urls = await clusters.open(bench.size.repeats)
  const stalls = await watchStalls(server.port)
  await stalls.start()
  const times: number[] = []
  for (const [index, url] of urls.entries()) times.push(await registerCluster(server.port, server.bearer, url, index))
  const longest = await stalls.longest()
  const { requests, bytes } = await clusters.reportAt(bench.size.revokedTokens)
  await stalls.stop()
  await clusters.stop()
  bench.report({
    id: 'registration',
    what: `registration with ${bench.size.revokedTokens} live revocations`,
    value: median(times),
    unit: 'ms',
    aside: `the first one ${times[0]?.toFixed(0)} ms; ${requests / urls.length} pushes, ${(bytes / urls.length / 2 ** 20).toFixed(0)} MiB`,
    limit: 'reading and unsealing the tokens, one thread',
  })
  bench.report({
    id: 'registration.stall',
    what: '  longest wait of another client meanwhile',
    value: longest,
    unit: 'ms',
    aside: `peak memory ${readMemory(server.pid).peak.toFixed(0)} MiB`,
    limit: 'writing out and sending one batch',
  })
}
