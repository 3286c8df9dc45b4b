/** What somebody may have meant who wrote a name that isn't there. */

const mostShown = 3

/** At most three of the candidates, the nearest first: those that differ by a letter or two, or by case alone. */
export function nearest(name: string, candidates: Iterable<string>): readonly string[] {
  const wanted = name.toLowerCase()
  const furthest = Math.max(1, Math.floor(name.length / 3))
  const near: { readonly candidate: string; readonly distance: number }[] = []
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - name.length) > furthest) continue
    const distance = distanceOf(wanted, candidate.toLowerCase())
    if (distance <= furthest) near.push({ candidate, distance })
  }
  near.sort((a, b) => a.distance - b.distance || (a.candidate < b.candidate ? -1 : 1))
  return near.slice(0, mostShown).map(({ candidate }) => candidate)
}

/** Levenshtein's: how many letters must be put in, taken out or changed. */
function distanceOf(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row]
    for (let column = 1; column <= b.length; column += 1) {
      const isSame = a[row - 1] === b[column - 1]
      const changed = (previous[column - 1] ?? 0) + (isSame ? 0 : 1)
      current.push(Math.min(changed, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1))
    }
    previous = current
  }
  return previous[b.length] ?? 0
}
