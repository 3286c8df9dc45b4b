/** Which of a cluster's URLs is asked, and when the next one is: a URL that swallows calls must not swallow the attempt. */
import type { Clock } from '../../core/clock.ts'
import type { Cluster } from '../../core/clusters/cluster.ts'

/** Where one URL has not answered for so long, the next is asked beside it. */
const patienceMs = 2_000
const maximumRemembered = 10_000

/** Remembers for each cluster the URL that last did what it was asked. */
export interface UrlOrder {
  /** All URLs, the one that worked last before the others. */
  of(cluster: Cluster): readonly string[]
  worked(cluster: Cluster, url: string): void
}

export function createUrlOrder(): UrlOrder {
  const last = new Map<string, string>()
  return {
    of({ id, urls }) {
      const known = urls.length < 2 ? undefined : last.get(id)
      return known === undefined || !urls.includes(known) ? urls : [known, ...urls.filter((url) => url !== known)]
    },
    worked({ id, urls }, url) {
      if (urls.length < 2) return
      if (last.size >= maximumRemembered) last.clear()
      last.set(id, url)
    },
  }
}

/**
 * Asks one URL after the other, the next one when the one before has answered or has not for two seconds; what is still
 * being asked goes on meanwhile. The first answer that settles it ends all. Answers what each said that answered, in the
 * order in which they did; the one that settled it comes last. Takes no longer than `limitMs`, if each `ask` keeps the
 * limit that it is given.
 */
export async function askInTurn<T>(
  urls: readonly string[],
  ask: (url: string, limits: { readonly timeoutMs: number; readonly signal: AbortSignal }) => Promise<T>,
  settles: (answer: T) => boolean,
  deps: { readonly clock: Clock; readonly limitMs: number; readonly signal: AbortSignal },
): Promise<readonly T[]> {
  const { clock, limitMs, signal } = deps
  const [only] = urls
  if (only !== undefined && urls.length === 1) return [await ask(only, { timeoutMs: limitMs, signal })]
  const stepMs = Math.min(patienceMs, limitMs / Math.max(urls.length, 1))
  const end = new AbortController()
  const giveUp = () => end.abort('ended')
  if (signal.aborted) giveUp()
  signal.addEventListener('abort', giveUp)
  const answers: T[] = []
  const pending = new Set<Promise<void>>()

  function begin(url: string, index: number) {
    const asking = ask(url, { timeoutMs: limitMs - index * stepMs, signal: end.signal }).then((answer) => {
      pending.delete(asking)
      if (!answers.some(settles)) answers.push(answer)
    })
    pending.add(asking)
  }

  try {
    for (const [index, url] of urls.entries()) {
      if (index > 0 && (signal.aborted || answers.some(settles))) break
      begin(url, index)
      const step = new AbortController()
      await Promise.race([...pending, clock.wait(stepMs, step.signal)])
      step.abort('over')
    }
    while (pending.size > 0 && !answers.some(settles)) await Promise.race(pending)
    return answers
  } finally {
    signal.removeEventListener('abort', giveUp)
    end.abort('ended')
  }
}
