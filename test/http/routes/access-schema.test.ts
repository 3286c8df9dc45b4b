import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { presentAccessSchema } from '../../../src/http/routes/shapes/access.ts'
import { startService } from '../../service.ts'

test('the schema for editors in the docs is the one that requests are checked against, and is served', async () => {
  const file = new URL('../../../docs/reference/access.schema.json', import.meta.url)
  const schema = presentAccessSchema()
  // Made anew by: gatehouse schema access > docs/reference/access.schema.json
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(schema)
  await using service = await startService()
  const answer = await service.request('GET', '/api/v1/schemas/access.json')
  expect(answer.status).toBe(200)
  expect(answer.json()).toEqual(schema)
})
