/**
 * Another client, a process of its own so that nothing but the service delays it: asks for one small thing again and
 * again, and tells how long the longest answer took. Arguments: port. Messages: `start` -> `started`, `stop` -> `stalls`.
 */
import { Agent, get } from 'node:http'
import { nowMs, pause } from './clock.ts'

const port = Number(process.argv[2])
const agent = new Agent({ keepAlive: true, maxSockets: 1 })
let longestMs = 0
let count = 0
let isMeasuring = false

function ask(): Promise<void> {
  return new Promise((resolve, reject) => {
    const path = '/.well-known/openid-configuration'
    const request = get({ agent, port, host: '127.0.0.1', path }, (response) => {
      response.resume()
      response.on('end', resolve)
    })
    request.on('error', reject)
  })
}

async function measure() {
  for (;;) {
    const at = nowMs()
    await ask()
    if (isMeasuring) {
      longestMs = Math.max(longestMs, nowMs() - at)
      count += 1
    }
    await pause(1)
  }
}

process.on('disconnect', () => process.exit())
process.on('message', (message: { type: string }) => {
  if (message.type === 'start') {
    longestMs = 0
    count = 0
    isMeasuring = true
    process.send?.({ type: 'started' })
  }
  if (message.type === 'stop') {
    isMeasuring = false
    process.send?.({ type: 'stalls', longestMs, count })
  }
})
measure().catch(() => process.exit(1))
