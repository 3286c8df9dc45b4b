import type { Clock } from '../core/clock.ts'

/** How those who hold a lease and have nothing to do wait together. */
export interface News {
  /** Something may have come into the log, or it is time to let go. */
  announce(): void
  /** `news` when announced, `tick` at the end of the period that all who wait share. */
  wait(): Promise<'news' | 'tick'>
}

export function createNews(clock: Clock, periodMs: number): News {
  let announced: { readonly promise: Promise<'news'>; readonly resolve: (value: 'news') => void } | undefined
  let period: Promise<'tick'> | undefined

  function untilAnnounced(): Promise<'news'> {
    if (announced === undefined) {
      let resolve: (value: 'news') => void = () => undefined
      const promise = new Promise<'news'>((done) => {
        resolve = done
      })
      announced = { promise, resolve }
    }
    return announced.promise
  }

  /** One timer for all, so that what they write when it ends is written together. */
  function untilTick(): Promise<'tick'> {
    period ??= clock.wait(periodMs).then(() => {
      period = undefined
      return 'tick'
    })
    return period
  }

  return {
    announce() {
      const ending = announced
      announced = undefined
      ending?.resolve('news')
    },
    wait: () => Promise.race([untilAnnounced(), untilTick()]),
  }
}
