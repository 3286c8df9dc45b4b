/** The cluster of the recorded examples: answers with the status that its first path segment names, and remembers. */
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface StubCall {
  readonly method: string
  readonly path: string
  readonly contentType: string
  readonly body: string
  readonly bearer: string
}

export interface Stub extends AsyncDisposable {
  readonly url: string
  /** How many calls came since the last take(). */
  count(): number
  take(): readonly StubCall[]
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}

export async function startStub(): Promise<Stub> {
  let calls: StubCall[] = []
  const server = createServer(async (request, response) => {
    const { method = '', url = '', headers } = request
    const bearer = (headers.authorization ?? '').replace(/^Bearer /, '')
    calls.push({ method, path: url, contentType: headers['content-type'] ?? '', body: await readBody(request), bearer })
    response.writeHead(Number(url.split('/')[1]) || 500).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    count: () => calls.length,
    take() {
      const taken = calls
      calls = []
      return taken
    },
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeAllConnections()
      await closed
    },
  }
}
