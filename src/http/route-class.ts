/** What stands in metrics for a path: one of a fixed few, whatever strangers ask for. */

/** By the first segment of a path: how many segments make the class. */
const depths: ReadonlyMap<string, number> = new Map([
  ['v1', 2],
  ['.well-known', 2],
  ['api', 3],
  ['healthz', 1],
  ['readyz', 1],
])
const deepest = 3

/**
 * Classes by path, for instance `/v1/users` for all below it. `known` are the ones there are; anything else is `other`.
 */
export function createRouteClasses(known: readonly string[]): (path: string) => string {
  const classes = new Set(known)
  return (path) => {
    const segments = path.split('/', deepest + 1)
    const depth = depths.get(segments[1] ?? '') ?? 0
    const start = segments.slice(0, depth + 1).join('/')
    return classes.has(start) ? start : 'other'
  }
}
