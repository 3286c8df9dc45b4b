import { expect } from 'vitest'

/** The page at /api/v1/docs is there, with every script and style sheet that it names. */
export async function expectViewer(url: string): Promise<void> {
  const page = await fetch(`${url}/api/v1/docs`)
  expect(page.status).toBe(200)
  const parts = [...(await page.text()).matchAll(/(?:src|href)="(docs\/[^"]+)"/g)].map(([, path = '']) => path)
  expect(parts.length).toBeGreaterThan(2)
  for (const path of parts) expect((await fetch(`${url}/api/v1/${path}`)).status, path).toBe(200)
}
