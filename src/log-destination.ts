/**
 * Where log lines go: a file descriptor, written in large pieces and never by the thread that serves requests. A reader
 * that stops reading costs log lines, not the service.
 */
import { writeSync, write as writeWithCallback } from 'node:fs'
import { promisify } from 'node:util'

const write = promisify(writeWithCallback)

const flushEveryMs = 100
const pieceLength = 16_384
/** What a stalled reader may make us keep, in characters. */
const maxBuffered = 8 * 1024 * 1024
const busyPauseMs = 10
const maxBusyPauses = 100

export interface LogDestination {
  write(line: string): void
  /** Writes what is buffered before it returns; for the last moment of a process. */
  flush(): void
  /** Writes what is buffered and takes nothing more. */
  close(): Promise<void>
}

/** @param describeLoss the line that tells how many lines a stalled reader has cost */
export function openLogDestination(fd: number, describeLoss: (lines: number) => string): LogDestination {
  let buffered = ''
  let lost = 0
  let isClosed = false
  let writing: Promise<void> | undefined

  const timer = setInterval(startWriting, flushEveryMs)
  timer.unref()

  function startWriting() {
    if (writing !== undefined || buffered === '') return
    writing = writePieces().finally(() => {
      writing = undefined
    })
  }

  async function writePieces() {
    do {
      const piece = takePiece()
      try {
        await writeWhole(fd, piece)
      } catch {
        // The reader is gone (a closed pipe) or the disk is full: there is nobody left to tell.
        lost += 1
      }
    } while (buffered.length >= pieceLength || (isClosed && buffered !== ''))
  }

  function takePiece(): Buffer {
    const piece = Buffer.from(lost === 0 ? buffered : buffered + describeLoss(lost))
    buffered = ''
    lost = 0
    return piece
  }

  return {
    write(line) {
      if (isClosed) return
      if (buffered.length > maxBuffered) {
        lost += 1
        return
      }
      buffered += line
      if (buffered.length >= pieceLength) startWriting()
    },
    flush() {
      if (buffered !== '') writeWholeNow(fd, takePiece())
    },
    async close() {
      isClosed = true
      clearInterval(timer)
      await writing
      startWriting()
      await writing
    },
  }
}

async function writeWhole(fd: number, piece: Buffer): Promise<void> {
  let at = 0
  while (at < piece.length) {
    try {
      at += (await write(fd, piece, at, piece.length - at, null)).bytesWritten
    } catch (error) {
      if (!isBusy(error)) throw error
      await new Promise((resolve) => setTimeout(resolve, busyPauseMs))
    }
  }
}

function writeWholeNow(fd: number, piece: Buffer): void {
  const pause = new Int32Array(new SharedArrayBuffer(4))
  let at = 0
  let pauses = 0
  while (at < piece.length && pauses < maxBusyPauses) {
    try {
      at += writeSync(fd, piece, at, piece.length - at, null)
    } catch (error) {
      if (!isBusy(error)) return
      pauses += 1
      Atomics.wait(pause, 0, 0, busyPauseMs)
    }
  }
}

/** A pipe that doesn't block says so when it is full. */
function isBusy(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EAGAIN'
}
