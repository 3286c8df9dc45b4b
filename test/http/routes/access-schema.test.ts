import { expect, test } from 'vitest'
import { presentAccessSchema } from '../../../src/http/routes/shapes/access.ts'
import { startService } from '../../service.ts'

test('the schema for editors is the one that documents are checked against, and anybody may read it', async () => {
  await using service = await startService()
  const answer = await service.request('GET', '/api/v1/schemas/access.json')
  expect(answer.status).toBe(200)
  expect(answer.json()).toEqual(presentAccessSchema())
  expect(presentAccessSchema()).toMatchObject({
    definitions: { Access: { required: ['apiVersion'], additionalProperties: false } },
  })
})
