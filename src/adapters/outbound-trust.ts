/** Whose certificates other servers may show: the authorities that Node brings, the machine's, and what an operator adds. */
import { readFileSync } from 'node:fs'
import { createSecureContext, rootCertificates, type SecureContext } from 'node:tls'

export interface Authorities {
  /** PEM; undefined = where the machine keeps its own. */
  readonly machineFile: string | undefined
  /** PEM; what Node adds to its own by itself, as long as nobody else adds anything. */
  readonly extraFile: string | undefined
}

/** Where Linux distributions keep them; the first that is there counts, as with Go (crypto/x509/root_linux.go). */
const machineFiles = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/pki/tls/cacert.pem',
  '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
  '/etc/ssl/cert.pem',
]

/**
 * Reads the authorities; takes some tens of milliseconds, so it is done once, and only where HTTPS is spoken. Undefined
 * where there is nothing to add to what Node does by itself. A file that is missing or holds no certificate adds nothing:
 * a connection that needed it fails and says so.
 */
export function loadTrust({ machineFile, extraFile }: Authorities): SecureContext | undefined {
  const candidates = machineFile === undefined ? machineFiles : [machineFile]
  const machine = candidates.map(readIfThere).find((pem) => pem !== undefined)
  if (machine === undefined) return undefined
  const extra = extraFile === undefined ? undefined : readIfThere(extraFile)
  const ca = [...rootCertificates, machine, ...(extra === undefined ? [] : [extra])]
  try {
    return createSecureContext({ ca })
  } catch {
    return undefined
  }
}

function readIfThere(file: string): Buffer | undefined {
  try {
    return readFileSync(file)
  } catch {
    return undefined
  }
}
