/** What the operator is told where a command can't do its work: one line and an exit code, without a stack trace. */
import { isDomainError } from '../core/errors.ts'
import { showable } from './showable.ts'

export const exitCodes = {
  done: 0,
  unexpected: 1,
  wrongUse: 2,
  portUnavailable: 3,
  storeUnusable: 4,
  databaseTooNew: 5,
  keyUnusable: 6,
  notAuthorized: 7,
  serverUnreachable: 8,
  notEverywhere: 9,
  doctorWarns: 10,
  doctorObjects: 11,
  auditBroken: 12,
  backupUnusable: 13,
  wouldChange: 14,
  notAllowed: 15,
} as const

export const exitCodesHelp = `
Exit codes:
  0  done, or ended by SIGTERM or SIGINT
  1  unexpected failure, or the server refused
  2  wrong command line or configuration
  3  the port can't be opened
  4  the data folder or the database can't be used
  5  the database is newer than the program
  6  a key or certificate can't be read
  7  not logged in, or not permitted
  8  the server can't be reached
  9  not everywhere yet: a cluster would still take the token
  10 doctor: nothing is broken, something deserves a look
  11 doctor: something is wrong
  12 the audit trail is not what was written
  13 a backup can't be made, used or restored
  14 something would be changed (apply --dry-run, role diff)
  15 not allowed (explain)`

/** By name, since the parts that throw these are loaded only by the commands that need them. */
const codesByName: Readonly<Record<string, number>> = {
  ConfigError: exitCodes.wrongUse,
  ListenError: exitCodes.portUnavailable,
  DataFolderError: exitCodes.storeUnusable,
  StoreOpenError: exitCodes.storeUnusable,
  AuthnDatabaseError: exitCodes.storeUnusable,
  AuthnExportError: exitCodes.unexpected,
  DatabaseTooNewError: exitCodes.databaseTooNew,
  BackupError: exitCodes.backupUnusable,
  KeyFileError: exitCodes.keyUnusable,
  CertificateError: exitCodes.keyUnusable,
  UsageError: exitCodes.wrongUse,
  CredentialsError: exitCodes.unexpected,
  InterruptedError: exitCodes.unexpected,
  RefusedError: exitCodes.unexpected,
  NotAuthorizedError: exitCodes.notAuthorized,
  UnreachableError: exitCodes.serverUnreachable,
}

export interface Failure {
  readonly exitCode: number
  /** One line, for standard error. */
  readonly line: string
}

/** The failure in words, or undefined where it is none that an operator can mend: a bug. */
export function presentFailure(error: unknown, program: string): Failure | undefined {
  if (!(error instanceof Error)) return undefined
  const rule = presentRule(error)
  const exitCode = rule?.exitCode ?? codesByName[error.name]
  if (exitCode === undefined) return undefined
  return { exitCode, line: showable(`${program}: ${(rule?.message ?? error.message).replaceAll(/\s*\n\s*/g, ' ')}`) }
}

/** What the rules refuse while the service is being put together: a full disk, or a first administrator with a bad name. */
function presentRule(error: Error): { readonly exitCode: number; readonly message: string } | undefined {
  if (isDomainError(error, 'storage_failed')) {
    const code = findSystemCode(error)
    const message = code === undefined ? error.details.reason : `${error.details.reason} (${code})`
    return { exitCode: exitCodes.storeUnusable, message }
  }
  if (isDomainError(error, 'field_invalid')) {
    const { what, value, rule } = error.details
    return { exitCode: exitCodes.wrongUse, message: `${what} ${JSON.stringify(value)} is invalid: ${rule}` }
  }
  return undefined
}

/** The operating system's own code, such as EROFS, from the error or what caused it. */
function findSystemCode(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  if ('errno' in error && 'code' in error) return String(error.code)
  return findSystemCode(error.cause)
}
