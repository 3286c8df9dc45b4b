/** What stands in metrics for a path: one of a fixed few, whatever strangers ask for. */

const roots: Readonly<Record<string, number>> = { v1: 2, '.well-known': 2, api: 3, healthz: 1, readyz: 1 }

/**
 * Classes by path, for instance `/v1/users` for all below it. `known` are the ones there are; anything else is `other`.
 */
export function createRouteClasses(known: readonly string[]): (path: string) => string {
  const classes = new Set(known)
  return (path) => {
    const segments = roots[path.slice(1, path.indexOf('/', 1) < 0 ? undefined : path.indexOf('/', 1))]
    if (segments === undefined) return 'other'
    let end = 0
    for (let count = 0; count < segments && end >= 0; count += 1) end = path.indexOf('/', end + 1)
    const start = end < 0 ? path : path.slice(0, end)
    return classes.has(start) ? start : 'other'
  }
}
