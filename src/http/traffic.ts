/** The connections of one port and the requests in flight on them. */
import type { Server, ServerResponse } from 'node:http'
import type { Server as HttpsServer } from 'node:https'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'

export interface Traffic {
  inFlight(): number
  /** Connections and requests so far. */
  arrived(): number
  /** Whether an answer has already been started on this connection. */
  isAnswering(socket: Duplex): boolean
  /** Closes connections that carry no request and have carried one. */
  closeIdle(): void
  /** Whether there are connections that have not brought a request yet. */
  hasNewcomers(): boolean
  closeNewcomers(): void
  closeAll(): void
}

/** Knows the requests in flight. Once the signal aborts, their answers say that the connection ends with them. */
export function followTraffic(server: Server | HttpsServer, closing: AbortSignal): Traffic {
  const responses = new Set<ServerResponse>()
  /** Every connection with its peer, also one whose TLS handshake is under way. */
  const connections = new Map<Socket, string>()
  /** Peers that have brought a request. Under TLS a request's socket is another object than its connection. */
  const served = new Set<string>()
  let arrived = 0

  server.on('connection', (socket: Socket) => {
    const peer = peerOf(socket)
    arrived += 1
    connections.set(socket, peer)
    socket.once('close', () => {
      connections.delete(socket)
      served.delete(peer)
    })
  })
  // Before the application's own listener, which may answer at once.
  server.prependListener('request', (request, response) => {
    arrived += 1
    served.add(peerOf(request.socket))
    if (closing.aborted) response.setHeader('Connection', 'close')
    responses.add(response)
    response.once('close', () => {
      responses.delete(response)
      if (closing.aborted) setImmediate(() => server.closeIdleConnections())
    })
  })

  function closeWhere(holds: (peer: string) => boolean) {
    for (const [socket, peer] of connections) if (holds(peer)) socket.destroy()
  }

  return {
    inFlight: () => responses.size,
    arrived: () => arrived,
    isAnswering: (socket) => [...responses].some((response) => response.socket === socket && response.headersSent),
    closeIdle() {
      const busy = new Set([...responses].map(({ req }) => peerOf(req.socket)))
      for (const response of responses) if (!response.headersSent) response.setHeader('Connection', 'close')
      closeWhere((peer) => served.has(peer) && !busy.has(peer))
    },
    hasNewcomers: () => [...connections.values()].some((peer) => !served.has(peer)),
    closeNewcomers: () => closeWhere((peer) => !served.has(peer)),
    closeAll: () => closeWhere(() => true),
  }
}

/** Names a connection, as long as it is open. */
function peerOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`
}
