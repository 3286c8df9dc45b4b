import type { IncomingMessage } from 'node:http'

/** The largest honest body is a role with thousands of buckets. */
const defaultMaximumBytes = 4 * 1024 * 1024

/** The body can't be had whole: larger than is taken (413), or the client went away in the middle of it (400). */
export class BodyError extends Error {
  override readonly name = 'BodyError'
  readonly status: 400 | 413

  constructor(status: 400 | 413, message: string, options?: ErrorOptions) {
    super(message, options)
    this.status = status
  }
}

/** How much more is read and thrown away, since a client that is still sending doesn't see an answer before it has ended. */
const maximumDiscardedBytes = 16 * 1024 * 1024

/** The request's body as text, whatever its content type. @throws BodyError as `readBytes` */
export async function readText(incoming: IncomingMessage, maximumBytes?: number): Promise<string> {
  return (await readBytes(incoming, maximumBytes)).toString('utf8')
}

/**
 * The request's body. Read from the socket's own stream, since building a web Request
 * around it costs more than all else in a small request.
 * @throws BodyError over the maximum (4 MiB), announced or not; when the client goes away
 */
export async function readBytes(incoming: IncomingMessage, maximumBytes = defaultMaximumBytes): Promise<Buffer> {
  const tooLarge = () => new BodyError(413, `request body is larger than ${maximumBytes} bytes`)
  if (Number(incoming.headers['content-length'] ?? 0) > maximumBytes + maximumDiscardedBytes) throw tooLarge()
  const chunks: Buffer[] = []
  let bytes = 0
  try {
    // The stream stays open when reading stops early, so that the refusal can still be sent.
    for await (const chunk of incoming.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      bytes += chunk.length
      if (bytes <= maximumBytes) chunks.push(chunk)
      else if (bytes > maximumBytes + maximumDiscardedBytes) throw tooLarge()
    }
  } catch (error) {
    throw error instanceof BodyError ? error : new BodyError(400, 'request body ended early', { cause: error })
  }
  if (bytes > maximumBytes) throw tooLarge()
  return Buffer.concat(chunks)
}
