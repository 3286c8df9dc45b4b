/** Single calls to the service, for preparing a row and for rows that measure one call at a time. */
import { request as send } from 'node:http'
import { nowMs, within } from './clock.ts'
import type { RequestParts } from './load.ts'
import { administratorName } from './server.ts'

const callLimitMs = 120_000

export interface Answered {
  readonly text: string
  readonly bytes: number
  /** From sending to the last byte of the answer. */
  readonly ms: number
}

/** @throws Error where the answer's status isn't 200 */
export function call(port: number, parts: RequestParts): Promise<Answered> {
  const { method, path, bearer, body = '' } = parts
  const what = `${method} ${path}`
  const answered = new Promise<Answered>((resolve, reject) => {
    const startedAt = nowMs()
    const headers = {
      ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }),
      ...(body === '' ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
    }
    const request = send({ port, host: '127.0.0.1', method, path, headers }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => {
        const ms = nowMs() - startedAt
        const whole = Buffer.concat(chunks)
        const text = whole.toString('utf8')
        if (response.statusCode === 200) resolve({ text, bytes: whole.length, ms })
        else reject(new Error(`${what} was answered with ${response.statusCode}: ${text.slice(0, 500)}`))
      })
    })
    request.on('error', reject)
    request.end(body)
  })
  return within(what, callLimitMs, answered)
}

/** The token of a login. */
async function logIn(port: number, name: string, password: string): Promise<string> {
  const { text } = await call(port, { method: 'POST', path: `/v1/users/${name}`, body: JSON.stringify({ password }) })
  const answer: unknown = JSON.parse(text)
  if (typeof answer === 'object' && answer !== null && 'token' in answer && typeof answer.token === 'string') {
    return answer.token
  }
  throw new Error('a login was answered without a token')
}

export function logInAdministrator(port: number, password: string): Promise<string> {
  return logIn(port, administratorName, password)
}
