import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type AddressInfo, createServer as createNetServer, type Server, type Socket } from 'node:net'

export interface SeenRequest {
  readonly method: string
  readonly path: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

export interface Loopback extends AsyncDisposable {
  readonly url: string
  /** In the order in which they came in whole. */
  readonly requests: readonly SeenRequest[]
  /** Connections that were made so far. */
  connections(): number
}

function sockets(server: Server) {
  const open = new Set<Socket>()
  let made = 0
  server.on('connection', (socket: Socket) => {
    made += 1
    open.add(socket)
    socket.on('close', () => open.delete(socket)).on('error', () => undefined)
  })
  const destroy = () => {
    for (const socket of open) socket.destroy()
  }
  return { made: () => made, destroy }
}

async function open(server: Server, requests: readonly SeenRequest[]): Promise<Loopback> {
  const connected = sockets(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    connections: connected.made,
    async [Symbol.asyncDispose]() {
      connected.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** An HTTP server on loopback; `answer` may do with the response what it likes, or leave it. */
export async function serve(answer: (request: SeenRequest, response: ServerResponse) => void): Promise<Loopback> {
  const requests: SeenRequest[] = []
  const server = createServer((message, response) => {
    const chunks: Buffer[] = []
    message.on('data', (chunk: Buffer) => chunks.push(chunk))
    message.on('end', () => {
      const { method = '', url = '', headers } = message
      const request = { method, path: url, headers, body: Buffer.concat(chunks).toString() }
      requests.push(request)
      answer(request, response)
    })
  })
  return open(server, requests)
}

/** A server below HTTP: `connected` gets each connection when its first bytes have come. */
export async function serveRaw(connected: (socket: Socket) => void): Promise<Loopback> {
  return open(
    createNetServer((socket) => socket.once('data', () => connected(socket))),
    [],
  )
}

/** A URL where nothing listens. */
export async function deadUrl(): Promise<string> {
  await using gone = await serveRaw(() => undefined)
  return gone.url
}
