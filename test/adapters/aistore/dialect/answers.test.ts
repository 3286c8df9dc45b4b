import { expect, test } from 'vitest'
import { createAnswers } from '../../../../src/adapters/aistore/dialect/answers.ts'

function answersAt() {
  const state = { revision: 1 }
  return { state, answers: createAnswers({ directory: () => state.revision }) }
}
const textOf = (bytes: Uint8Array | undefined) => bytes && new TextDecoder().decode(bytes)

test('an answer is built once, until something changes', async () => {
  const { state, answers } = answersAt()
  let built = 0
  const get = async () =>
    textOf(
      await answers.get('key', async () => {
        built += 1
        return `${built}`
      }),
    )
  expect([await get(), await get()]).toEqual(['1', '1'])
  state.revision += 1
  expect(answers.known('key')).toBeUndefined()
  expect([await get(), await get()]).toEqual(['2', '2'])
})

test('an answer during whose making something changed is given, and not kept', async () => {
  const { state, answers } = answersAt()
  const built = await answers.get('key', async () => {
    state.revision += 1
    return 'old'
  })
  expect(textOf(built)).toBe('old')
  expect(answers.known('key')).toBeUndefined()
  answers.keep('key', state.revision - 1, 'older still')
  expect(answers.known('key')).toBeUndefined()
})

test('an answer that fails to be made is not kept', async () => {
  const { answers } = answersAt()
  await expect(answers.get('key', () => Promise.reject(new Error('no')))).rejects.toThrow('no')
  expect(textOf(await answers.get('key', async () => 'yes'))).toBe('yes')
})

test('what is kept is bounded, however small the answers are', () => {
  const { answers } = answersAt()
  const count = 60_000
  for (let index = 0; index < count; index += 1) answers.keep(`${index}`, 1, 'x')
  const kept = Array.from({ length: count }, (_, index) => answers.known(`${index}`)).filter(Boolean).length
  expect(kept).toBeGreaterThan(10_000)
  expect(kept).toBeLessThan(50_000)
})

test('what is asked for again and again stays, whatever else comes and goes', () => {
  const { answers } = answersAt()
  answers.keep('wanted', 1, 'x'.repeat(1000))
  for (let index = 0; index < 60_000; index += 1) {
    answers.keep(`${index}`, 1, 'x')
    if (index % 1000 === 0) answers.known('wanted')
  }
  expect(textOf(answers.known('wanted'))).toHaveLength(1000)
  expect(answers.known('0')).toBeUndefined()
  expect(answers.known('59999')).toBeDefined()
})
