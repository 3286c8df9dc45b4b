import { expect, test } from 'vitest'
import { startService } from '../../service.ts'

test('the page to read and try the API is for anybody, and takes nothing from elsewhere', async () => {
  await using service = await startService()
  const page = await service.request('GET', '/api/v1/docs')
  expect(page.status).toBe(200)
  expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8')
  const policy = page.headers.get('content-security-policy') ?? ''
  expect(policy).toContain("default-src 'none'")
  expect(policy).toContain("script-src 'self';")
  expect(policy).not.toMatch(/https?:|\*/)
  expect(page.text).not.toMatch(/https?:\/\//)
  expect(page.text).not.toMatch(/<script(?![^>]* src=)/)
  const parts = [...page.text.matchAll(/(?:src|href)="(docs\/[^"]+)"/g)].map((match) => match[1])
  expect(parts).toHaveLength(3)
  for (const part of parts) {
    const { status, headers, text } = await service.request('GET', `/api/v1/${part}`)
    expect(status).toBe(200)
    expect(headers.get('content-type')).toMatch(/^text\/(javascript|css); charset=utf-8$/)
    expect(headers.get('cache-control')).toContain('immutable')
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(text.length).toBeGreaterThan(100)
  }
  const again = { headers: { 'if-none-match': page.headers.get('etag') ?? '' } }
  expect((await service.request('GET', '/api/v1/docs', again)).status).toBe(304)
  for (const path of ['/api/v1/docs/package.json', '/api/v1/docs/..%2f..%2fpackage.json']) {
    expect((await service.request('GET', path)).status).toBe(404)
  }
})
