import { randomBytes } from 'node:crypto'
import { afterEach, describe, test } from 'vitest'
import { createSealer, type Sealer } from '../../src/core/keys/sealer.ts'
import type { Store } from '../../src/store/store.ts'
import { accessConformance } from './conformance/access.ts'
import { actConformance } from './conformance/acts.ts'
import { auditConformance } from './conformance/audit.ts'
import { authorityConformance } from './conformance/authorities.ts'
import { canaryConformance } from './conformance/canaries.ts'
import { clusterConformance } from './conformance/clusters.ts'
import { consequenceConformance } from './conformance/consequences.ts'
import { cursorConformance } from './conformance/cursors.ts'
import { keyConformance, revisionConformance, settingsConformance } from './conformance/directory.ts'
import { lockConformance } from './conformance/locks.ts'
import { probeConformance } from './conformance/probes.ts'
import { roleConformance } from './conformance/roles.ts'
import type { StoreTest } from './conformance/samples.ts'
import { selectionConformance } from './conformance/selection.ts'
import { revocationConformance, tokenConformance } from './conformance/tokens.ts'
import { exportConformance, importConformance } from './conformance/transfer.ts'
import { userConformance } from './conformance/users.ts'

const ports: readonly [name: string, conformance: (test: StoreTest) => void][] = [
  ['users', userConformance],
  ['roles', roleConformance],
  ['clusters', clusterConformance],
  ['configuration as code', accessConformance],
  ['tokens', tokenConformance],
  ['what may be done at Gatehouse', authorityConformance],
  ['revocations', revocationConformance],
  ['revoking what is meant', selectionConformance],
  ['consequences', consequenceConformance],
  ['acts of revocation', actConformance],
  ['locks', lockConformance],
  ['cursors', cursorConformance],
  ['canaries', canaryConformance],
  ['probes', probeConformance],
  ['keys', keyConformance],
  ['settings', settingsConformance],
  ['revisions', revisionConformance],
  ['audit', auditConformance],
  ['imports', importConformance],
  ['exports', exportConformance],
]

/**
 * What every backend promises, whatever it keeps its rows in. `open` makes a new, empty store that seals with the given
 * sealer.
 */
export function storeConformance(name: string, open: (sealer: Sealer) => Store | Promise<Store>): void {
  describe(name, () => {
    const opened: Store[] = []
    afterEach(async () => {
      for (const store of opened.splice(0)) await store.close()
    })

    const storeTest: StoreTest = (title, body) => {
      test(title, async () => {
        const sealer = createSealer(randomBytes(32))
        const store = await open(sealer)
        opened.push(store)
        await body(store, sealer)
      })
    }
    for (const [port, conformance] of ports) describe(port, () => conformance(storeTest))
  })
}
