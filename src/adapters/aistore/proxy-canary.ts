import type { ProxyReport } from '../../core/clusters/probe.ts'
import type { Answer, Outbound } from '../outbound.ts'
import { type Asked, explainAnswer, explainFailure } from './refusals.ts'

export type Verdict = Pick<ProxyReport, 'canary' | 'said'> & {
  /** False where no HTTP answer came: nobody is there, or this machine can't get there. */
  readonly isReached: boolean
}

const knows: Verdict = { canary: 'knows', said: null, isReached: true }
const forgot: Verdict = { canary: 'forgot', said: 'it took a token that is revoked', isReached: true }

/**
 * Shows the canary to one proxy. From 5.0 on `POST /v1/tokens` looks at the bearer, whatever permissions it has; earlier
 * versions look at the body alone and find fault with an empty one, so a read that needs a permission tells there: the
 * list comes before the permissions (contract section 3.4).
 */
export async function showCanary(
  canary: string,
  asked: Asked,
  deps: {
    readonly outbound: Outbound
    readonly timeoutMs: number
    readonly signal: AbortSignal
    /** The connection is closed afterwards, so that the next call may come to another proxy. */
    readonly isLast: boolean
  },
): Promise<Verdict> {
  const { outbound, timeoutMs, signal, isLast } = deps
  const authorization = `Bearer ${canary}`
  const limits = { timeoutMs, signal, isLast }
  const posted = await outbound.request({
    method: 'POST',
    url: `${asked.url}/v1/tokens`,
    headers: { 'content-type': 'application/json', authorization },
    body: '{}',
    ...limits,
  })
  if (posted.kind === 'failed') return { canary: 'silent', said: explainFailure(posted, asked).said, isReached: false }
  if (posted.status !== 400) return judge(posted, asked)
  const read = await outbound.request({
    method: 'GET',
    url: `${asked.url}/v1/daemon?what=smap`,
    headers: { authorization },
    ...limits,
  })
  if (read.kind === 'failed') return { canary: 'silent', said: explainFailure(read, asked).said, isReached: false }
  if (read.status === 403) return forgot
  if (read.status !== 200) return judge(read, asked)
  return { canary: 'silent', said: 'it looks at no token, so it can not be told what it knows', isReached: true }
}

function judge(answer: Answer, asked: Asked): Verdict {
  const refusal = explainAnswer(answer, asked)
  if (refusal === undefined) return forgot
  const { status, said } = refusal
  if (status !== 401) return { canary: 'silent', said, isReached: true }
  return said.includes('revoked') ? knows : { canary: 'distrusts', said, isReached: true }
}
