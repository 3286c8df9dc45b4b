/** What a command that talks to a server can't do. Each message says what happened, why, and what to do next. */

/** The command line doesn't say what is needed. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** The file of tokens, or a file that was named, can't be used. */
export class CredentialsError extends Error {
  override readonly name = 'CredentialsError'
}

/** The process was asked to end, or somebody has left a question unanswered. */
export class InterruptedError extends Error {
  override readonly name = 'InterruptedError'
}

/** There is no answer. */
export class UnreachableError extends Error {
  override readonly name = 'UnreachableError'
}

/** The server doesn't know the caller, or does and won't. */
export class NotAuthorizedError extends Error {
  override readonly name = 'NotAuthorizedError'
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

export interface FieldFault {
  /** Dotted path of the member. */
  readonly field: string
  readonly detail: string
}

/** The server refused for another reason. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError'
  readonly status: number
  /** Of the problem details; empty where the answer had none. */
  readonly code: string
  /** What of the request is at fault, where the answer says so. */
  readonly fields: readonly FieldFault[]

  constructor(status: number, code: string, message: string, fields: readonly FieldFault[] = []) {
    super(message)
    this.status = status
    this.code = code
    this.fields = fields
  }
}
