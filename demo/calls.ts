/** The calls that AIStore's own clients make: to Gatehouse as to AIStore's AuthN, and to a cluster with a token. */
import { NotAsTold } from './narrator.ts'

export interface Answer {
  readonly status: number
  readonly text: string
}

/** One call; `body` is sent as JSON. */
export async function call(method: string, url: string, options: { token?: string; body?: unknown } = {}) {
  const { token, body } = options
  const answer = await fetch(url, {
    method,
    headers: {
      'content-type': 'application/json',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  return { status: answer.status, text: await answer.text() } satisfies Answer
}

/** As `call`. @throws NotAsTold where the answer is not 200 */
export async function callOk(...[method, url, options]: Parameters<typeof call>): Promise<Answer> {
  const answer = await call(method, url, options)
  if (answer.status !== 200) throw new NotAsTold(`${method} ${url} answered ${answer.status}: ${answer.text}`)
  return answer
}

/** `POST /v1/users/<name>`: what `ais auth login` does. */
export async function logIn(gatehouse: string, name: string, password: string): Promise<string> {
  const { text } = await callOk('POST', `${gatehouse}/v1/users/${name}`, { body: { password } })
  return String((JSON.parse(text) as { token: unknown }).token)
}

export function createBucket(cluster: string, bucket: string, token: string) {
  return callOk('POST', `${cluster}/v1/buckets/${bucket}?provider=ais`, { token, body: { action: 'create-bck' } })
}

/** Stores an object; the status says whether the token may. */
export async function putObject(cluster: string, bucket: string, token: string): Promise<Answer> {
  return call('PUT', `${cluster}/v1/objects/${bucket}/hello.txt?provider=ais`, { token, body: 'hello' })
}

/** Reads it back. */
export async function getObject(cluster: string, bucket: string, token: string): Promise<Answer> {
  return call('GET', `${cluster}/v1/objects/${bucket}/hello.txt?provider=ais`, { token })
}

/** An AIStore error in its own words. */
export function messageOf({ text }: Answer): string {
  try {
    return String((JSON.parse(text) as { message: unknown }).message)
  } catch {
    return text
  }
}
