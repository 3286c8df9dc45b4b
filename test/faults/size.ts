/** `npm test` runs each fault in a bounded form; `FAULTS=full` runs it as long as the words say. */
export const isFull = process.env.FAULTS === 'full'

/** How many of a thing: fewer where the run is bounded. */
export function sized(bounded: number, full: number): number {
  return isFull ? full : bounded
}
