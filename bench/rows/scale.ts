/** Many clusters, and many live revocations. */
import type { Workbench } from '../workbench.ts'
import { measureManyClusters } from './scale-clusters.ts'
import { measureResync } from './scale-resync.ts'

export async function measureScale(bench: Workbench): Promise<void> {
  await measureManyClusters(bench)
  await measureResync(bench)
}
