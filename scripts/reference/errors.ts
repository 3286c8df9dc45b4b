import type { Call } from '../../src/adapters/aistore/dialect/call.ts'
import { presentFailure } from '../../src/adapters/aistore/dialect/errors.ts'
import { DomainError, type ErrorCode } from '../../src/core/errors.ts'
import { BodyError } from '../../src/http/body.ts'
import {
  methodNotAllowed,
  NotFoundError,
  notFound,
  type Problem,
  problemOf,
  unexpected,
} from '../../src/http/errors.ts'
import { RequestError } from '../../src/http/validate.ts'
import { errorExamples } from './error-examples.ts'
import { code, paragraphs, prose, table } from './markdown.ts'
import { standIn } from './stand-in.ts'

export function presentErrors(): string {
  const codes = (Object.keys(errorExamples) as ErrorCode[]).sort()
  return paragraphs(
    '# Error codes',
    `The [native API](api.md) refuses with problem details (RFC 9457): \`type\` is \`urn:gatehouse:problem:CODE\`, \`code\` is for
programs and stays, \`title\` is the same for each problem of a code, \`detail\` says what happened and what to do, and
\`fields\` names the members that are at fault. \`requestId\` is that of the log line. AIStore's API tells the same failures
in AIStore's words; its status stands beside ours. Details are examples.`,
    '## What the rules refuse',
    table(
      ['code', 'status', "status in AIStore's API", 'title', 'for instance'],
      codes.map((each) => {
        const error = new DomainError(each, errorExamples[each])
        const problem = problemOf(error) ?? unexpected
        return [
          code(each),
          String(problem.status),
          String(statusInAistore(error)),
          problem.title,
          prose(problem.detail),
        ]
      }),
    ),
    '## What is wrong with a request',
    table(
      ['code', 'status', 'title', 'for instance'],
      requestProblems().map((problem) => [
        code(problem.code),
        String(problem.status),
        problem.title,
        prose(problem.detail),
      ]),
    ),
  )
}

function statusInAistore(error: DomainError): number {
  const call: Call = { context: standIn<Call['context']>(), method: 'GET', path: '/', rest: [] }
  return presentFailure(call, error, new Date(0)).status
}

function requestProblems(): readonly Problem[] {
  const field = { in: 'body', field: 'reason', detail: 'is not known here' } as const
  const thrown = [
    new RequestError(400, 'The body is not valid JSON.'),
    new RequestError(415, 'The body must be application/json.'),
    new RequestError(422, 'The request does not have the form that is asked for.', [field]),
    new BodyError(400, 'request body ended early'),
    new BodyError(413, 'request body is larger than 4194304 bytes'),
    new NotFoundError('There is no revocation 17, or all that it revoked has expired.'),
  ]
  const problems = thrown.map(problemOf).filter((problem) => problem !== undefined)
  return [...problems, notFound('/api/v1/nothing'), methodNotAllowed('GET, POST'), unexpected]
}
