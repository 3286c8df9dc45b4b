/** How a revocation waits, briefly, until clusters know of it. */
export interface Propagation {
  /**
   * Resolves when every cluster that is up has acknowledged the log up to `sequence`, or after `budgetMs`, whichever
   * comes first. The log makes the rest certain.
   */
  reached(sequence: number, budgetMs: number): Promise<void>
}
