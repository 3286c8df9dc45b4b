/** The server's certificate and private key, kept up to date with their files. */
import { X509Certificate } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { createSecureContext } from 'node:tls'
import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'

/** A certificate or its key can't be used. The message is one line for the operator. */
export class CertificateError extends Error {
  override readonly name = 'CertificateError'
}

export interface CertificateFiles {
  /** PEM, the server's own certificate first, then the chain. */
  readonly certificateFile: string
  /** PEM, without a passphrase. */
  readonly keyFile: string
}

export interface Certificate {
  readonly cert: Buffer
  readonly key: Buffer
  readonly expiresAt: Date
  /** How the files looked just before they were read. */
  readonly fingerprint: string
}

/** Looking costs two stat calls, so it may be often: whoever renews a certificate waits for nothing. */
const lookEveryMs = 2000

/** @throws CertificateError where a file can't be read, isn't PEM, or the two don't belong together */
export async function readCertificate(files: CertificateFiles): Promise<Certificate> {
  const { certificateFile, keyFile } = files
  // Taken before reading: what changes while it is read is seen at the next look.
  const fingerprint = await takeFingerprint(files)
  const cert = await readPem(certificateFile, 'certificate')
  const key = await readPem(keyFile, 'private key of the certificate')
  try {
    createSecureContext({ cert, key })
    return { cert, key, expiresAt: new Date(new X509Certificate(cert).validTo), fingerprint }
  } catch (error) {
    const reason = isMismatch(error) ? "don't belong together" : "can't be used (PEM without a passphrase is needed)"
    throw new CertificateError(`the certificate ${certificateFile} and the key ${keyFile} ${reason}`, { cause: error })
  }
}

/**
 * Calls `use` with the new pair whenever the files have changed since `from` was read, until the signal aborts. A pair that can't be used is
 * logged, and the old one stays. Replaced links (as Kubernetes swaps its volumes) count as changes, since what they
 * point to is looked at.
 */
export async function followCertificate(
  files: CertificateFiles,
  from: Pick<Certificate, 'fingerprint'>,
  use: (certificate: Certificate) => void,
  { log, clock, signal }: { log: Logger; clock: Clock; signal: AbortSignal },
): Promise<void> {
  let seen = from.fingerprint
  for (;;) {
    await clock.wait(lookEveryMs, signal)
    if (signal.aborted) return
    const current = await takeFingerprint(files)
    if (current === seen) continue
    seen = current
    try {
      const certificate = await readCertificate(files)
      seen = certificate.fingerprint
      use(certificate)
      log.info({ event: 'certificate.reloaded', file: files.certificateFile, expiresAt: certificate.expiresAt })
    } catch (error) {
      log.error({ event: 'certificate.refused', file: files.certificateFile, error })
    }
  }
}

async function takeFingerprint({ certificateFile, keyFile }: CertificateFiles): Promise<string> {
  return (await Promise.all([certificateFile, keyFile].map(fileFingerprint))).join(' ')
}

async function fileFingerprint(file: string): Promise<string> {
  try {
    const { ino, size, mtimeMs } = await stat(file)
    return `${ino}:${size}:${mtimeMs}`
  } catch {
    return 'missing'
  }
}

async function readPem(file: string, what: string): Promise<Buffer> {
  try {
    return await readFile(file)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    const reason = code === 'ENOENT' ? 'there is no such file' : code === 'EACCES' ? 'permission denied' : String(code)
    throw new CertificateError(`can't read the ${what} ${file}: ${reason}`, { cause: error })
  }
}

function isMismatch(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_OSSL_X509_KEY_VALUES_MISMATCH'
}
