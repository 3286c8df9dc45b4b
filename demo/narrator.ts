/** What the demonstration prints, and how it makes sure that what it prints is so. */

const startedAt = performance.now()

/** Something is not as the demonstration says it is. */
export class NotAsTold extends Error {
  override readonly name = 'NotAsTold'
}

function seconds(): string {
  return `${((performance.now() - startedAt) / 1000).toFixed(1)} s`.padStart(6)
}

/** A heading: what is going to be shown, and why. */
export function chapter(title: string, ...lines: readonly string[]) {
  process.stdout.write(`\n${title}\n`)
  for (const line of lines) process.stdout.write(`  ${line}\n`)
}

/** A thing that was done or seen. */
export function say(line: string) {
  process.stdout.write(`${seconds()}  ${line}\n`)
}

/** Goes on only if it is so. @throws NotAsTold */
export function expect(isSo: boolean, otherwise: string) {
  if (!isSo) throw new NotAsTold(otherwise)
}

/** Asks again and again until it is so; answers how many milliseconds that took. @throws NotAsTold at the limit */
export async function until(what: string, limitMs: number, isSo: () => Promise<boolean> | boolean): Promise<number> {
  const from = performance.now()
  while (!(await isSo())) {
    expect(performance.now() - from < limitMs, `waited ${limitMs} ms in vain: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  return performance.now() - from
}
