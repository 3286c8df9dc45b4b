/** Lists of the native API: a page of a hundred tokens, the first one and one that lies deep. */
import { call } from '../calls.ts'
import { userName } from '../fill.ts'
import { fillTokens } from '../fill-tokens.ts'
import { median } from '../load.ts'
import type { Running, Workbench } from '../workbench.ts'

const calls = 50
const pageSize = 100

export async function measureApi(bench: Workbench): Promise<void> {
  if (!bench.wants('token-list')) return
  const count = bench.size.listedTokens
  const folder = await bench.emptyFolder()
  fillTokens(folder, count)
  await using server = await bench.start(folder)
  const deep = `cursor=${Buffer.from(`1:${Math.round(count / 10)}`).toString('base64url')}`
  const pages = [
    { id: 'token-list.first', what: 'first page', query: '' },
    { id: 'token-list.deep', what: 'page nine tenths down', query: deep },
    { id: 'token-list.user', what: "deep page of one user's", query: `user=${userName(0)}&${deep}` },
    { id: 'token-list.revoked', what: 'deep page of those revoked', query: `state=revoked&${deep}` },
  ]
  for (const [index, { id, what, query }] of pages.entries()) {
    const { ms, items } = await measurePage(server, query)
    bench.report({
      id,
      what: index === 0 ? `list of ${count} tokens: ${what}` : `  ${what}`,
      value: ms,
      unit: 'ms',
      aside: `${items} tokens`,
      limit: "the service's main thread: rows to text",
    })
  }
}

async function measurePage({ port, bearer }: Running, query: string) {
  const page = () => call(port, { method: 'GET', path: `/api/v1/tokens?limit=${pageSize}&${query}`, bearer })
  const { text } = await page()
  const times: number[] = []
  for (let repeat = 0; repeat < calls; repeat += 1) times.push((await page()).ms)
  return { ms: median(times), items: (JSON.parse(text) as { readonly items: readonly unknown[] }).items.length }
}
