/**
 * What this machine can do at most: passwords verified a second, by the service's own library at its own cost, with
 * nothing else running. Messages: `measure` (how many at once, for how long) -> `rate`.
 */
import { hash, verify } from '@node-rs/argon2'
import { nowMs } from './clock.ts'

/** OWASP's cost. */
const cost = { memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const
const password = 'a password of common length'
const hashed = hash(password, cost)

async function measure(atOnce: number, ms: number): Promise<number> {
  const phc = await hashed
  const startedAt = nowMs()
  const until = startedAt + ms
  let count = 0
  async function verifyNext() {
    while (nowMs() < until) {
      if (!(await verify(phc, password))) throw new Error('a password was not recognised')
      count += 1
    }
  }
  await Promise.all(Array.from({ length: atOnce }, verifyNext))
  return count / ((nowMs() - startedAt) / 1000)
}

process.on('disconnect', () => process.exit())
process.on('message', (message: { type: string; atOnce: number; ms: number }) => {
  if (message.type !== 'measure') return
  measure(message.atOnce, message.ms).then(
    (perSecond) => process.send?.({ type: 'rate', perSecond }),
    () => process.exit(1),
  )
})
