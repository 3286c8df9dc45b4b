/** The native API of a running service, for tests. */
import type { ProblemBody } from '../../../src/http/routes/shapes/problem.ts'
import type { RequestOptions, TestService } from '../../service.ts'

export interface ApiAnswer<T> {
  readonly status: number
  readonly headers: Headers
  readonly body: T
}

export function problemIn(answer: ApiAnswer<unknown>): ProblemBody {
  return answer.body as ProblemBody
}

/** Calls as the administrator, unless the options say otherwise. */
export function apiOf(service: TestService) {
  return async <T = unknown>(method: string, path: string, options: RequestOptions = {}): Promise<ApiAnswer<T>> => {
    const token = 'token' in options ? options.token : await service.adminToken()
    const headers = { 'content-type': 'application/json', ...options.headers }
    const answer = await service.request(method, `/api/v1${path}`, { ...options, headers, token })
    return { status: answer.status, headers: answer.headers, body: (answer.text ? answer.json() : undefined) as T }
  }
}
