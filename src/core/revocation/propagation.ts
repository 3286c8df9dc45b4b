import type { Revoked } from './selector.ts'

/** How a revocation waits, briefly, until clusters know of it. */
export interface Propagation {
  /**
   * Resolves when every cluster that is up has acknowledged the log up to `sequence`, or after `budgetMs`, whichever
   * comes first. The log makes the rest certain.
   */
  reached(sequence: number, budgetMs: number): Promise<void>
}

/** Resolves at once where nothing was revoked. */
export async function awaitClusters(
  propagation: Propagation,
  { lastSequence }: Pick<Revoked, 'lastSequence'>,
  budgetMs: number,
): Promise<void> {
  if (lastSequence > 0) await propagation.reached(lastSequence, budgetMs)
}
