import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startService, type TestService } from '../../service.ts'
import { type Departure, departures } from './departures.ts'
import { createReplayer, loadTranscript, type Step } from './replay.ts'
import { type Stub, startStub } from './replay-stub.ts'

const transcripts = ['users', 'roles', 'clusters', 'config', 'keys'] as const

function departureOf(transcript: string, step: Step, occurrence: number): Departure | undefined {
  return departures.find(
    (departure) =>
      departure.transcript === transcript &&
      departure.steps.includes(occurrence === 1 ? step.name : `${step.name} (${occurrence})`),
  )
}

describe.each(transcripts)('the recorded examples of %s', (transcript) => {
  let service: TestService
  let stub: Stub
  let replayer: ReturnType<typeof createReplayer>

  beforeAll(async () => {
    service = await startService({ hasOpenReads: true })
    stub = await startStub()
    const { name, password } = service.administrator
    replayer = createReplayer({ base: service.url, user: name, password, secret: service.sharedSecret, stub })
  })

  afterAll(async () => {
    await service[Symbol.asyncDispose]()
    await stub[Symbol.asyncDispose]()
  })

  const seen = new Map<string, number>()
  for (const [index, step] of loadTranscript(transcript).entries()) {
    const occurrence = (seen.get(step.name) ?? 0) + 1
    seen.set(step.name, occurrence)
    const departure = departureOf(transcript, step, occurrence)
    const suffix = departure === undefined ? '' : ` [departs: ${departure.reason}]`
    test(`${index + 1}. ${step.name}${suffix}`, async () => {
      const differences = await replayer.play(step)
      const paths = [...new Set(differences.map(({ path }) => path))].sort()
      expect(paths, JSON.stringify(differences, null, 2)).toEqual([...(departure?.differs ?? [])].sort())
      for (const [path, got] of Object.entries(departure?.got ?? {})) {
        expect(differences.find((difference) => difference.path === path)?.got).toEqual(got)
      }
      if (departure?.request !== undefined) expect(await replayer.play(step, departure.request)).toEqual([])
      if (departure?.restore !== undefined) await replayer.restore(departure.restore)
    })
  }
})

test('every departure names steps that exist', () => {
  for (const { transcript, steps } of departures) {
    const names = loadTranscript(transcript).map(({ name }) => name)
    for (const step of steps) expect(names, transcript).toContain(step.replace(/ \(\d+\)$/, ''))
  }
})
