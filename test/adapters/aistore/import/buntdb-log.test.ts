import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { command } from '../../../../bench/authn-database.ts'
import { type LogFile, readBuntdbLog } from '../../../../src/adapters/aistore/import/buntdb-log.ts'
import { unpackFixture } from '../../../authn.ts'

const now = new Date('2026-12-01T12:00:00Z')
const minuteAgo = new Date(now.getTime() - 60_000)

/** A file that is given out in pieces, as a disk may. */
function fileOf(content: Buffer, pieceBytes = Number.POSITIVE_INFINITY, modifiedAt = minuteAgo): LogFile {
  return {
    size: content.length,
    modifiedAt,
    read: (into, offset, length, position) =>
      content.copy(into, offset, position, position + Math.min(length, pieceBytes)),
  }
}

/** The events as text, since their buffers are good only until the next one. */
function read(content: Buffer | string, pieceBytes?: number) {
  const bytes = Buffer.from(content)
  return Array.from(readBuntdbLog(fileOf(bytes, pieceBytes), now), (event) => {
    if (event.does === 'set') return ['set', event.key.toString(), event.value.toString()]
    if (event.does === 'delete') return ['delete', event.key.toString()]
    return event.does === 'flush' ? ['flush'] : [event.does, event.at, event.until]
  })
}

describe('a log', () => {
  test('gives its commands in their order', () => {
    expect(
      read(command('set', 'a', '1') + command('DEL', 'a') + command('flushdb') + command('Set', 'b', 'ü\r\n')),
    ).toEqual([['set', 'a', '1'], ['delete', 'a'], ['flush'], ['set', 'b', 'ü\r\n']])
  })

  test('that is empty gives nothing, and zeros between records are passed over', () => {
    expect(read('')).toEqual([])
    expect(read('\0'.repeat(3_000_000))).toEqual([])
    expect(read(`${command('set', 'a', '1')}\0\0${command('set', 'b', '2')}\0`)).toEqual([
      ['set', 'a', '1'],
      ['set', 'b', '2'],
    ])
  })

  test('gives what has expired as deleted: seconds since the file was written, or the second itself', () => {
    const second = (ms: number) => String(Math.floor((now.getTime() + ms) / 1000))
    const content = [
      command('set', 'a', '1', 'ex', '61'),
      command('set', 'b', '1', 'ex', '60'),
      command('set', 'c', '1', 'ae', second(1000)),
      command('set', 'd', '1', 'AE', second(0)),
    ]
    expect(read(content.join('')).map(([does, key]) => [does, key])).toEqual([
      ['set', 'a'],
      ['delete', 'b'],
      ['set', 'c'],
      ['delete', 'd'],
    ])
  })

  test('with records larger than what is read at once is read whole, in whatever pieces it comes', () => {
    const large = 'x'.repeat(5_000_000)
    const content = command('set', 'a', '1') + command('set', 'large', large) + command('set', 'b', '2')
    expect(read(content, 700_001)).toEqual([
      ['set', 'a', '1'],
      ['set', 'large', large],
      ['set', 'b', '2'],
    ])
  })

  test('that is cut off while it is read ends with one line', () => {
    const content = Buffer.from(command('set', 'a', '1'))
    const shrinking = { ...fileOf(content.subarray(0, 10)), size: content.length }
    expect(() => Array.from(readBuntdbLog(shrinking, now))).toThrow('the database became shorter while it was read')
  })

  test('of any keys and values comes back as it was written', () => {
    const commands = fc.array(
      fc.oneof(
        fc.tuple(fc.constant('set' as const), fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' })),
        fc.tuple(fc.constant('del' as const), fc.string({ unit: 'binary' })),
      ),
    )
    fc.assert(
      fc.property(commands, fc.integer({ min: 1, max: 64 }), (written, pieceBytes) => {
        const expected = written.map(([does, ...rest]) => [does === 'del' ? 'delete' : does, ...rest])
        expect(read(written.map((parts) => command(...parts)).join(''), pieceBytes)).toEqual(expected)
      }),
    )
  })
})

describe('a torn end', () => {
  test('at every byte of the last record leaves all records before it', () => {
    const first = command('set', 'a', '1') + command('del', 'a')
    for (const last of [command('set', 'user##ann', '{"id":"ann"}'), command('del', 'b'), command('flushdb')]) {
      for (let length = 1; length < last.length; length += 1) {
        expect(read(first + last.slice(0, length))).toEqual([
          ['set', 'a', '1'],
          ['delete', 'a'],
          ['torn', first.length, first.length + length],
        ])
      }
      expect(read(first + last)).toHaveLength(3)
    }
  })

  test('at every byte of the real database gives the records that are whole', () => {
    const content = readFileSync(unpackFixture().database)
    const whole = read(content)
    const lastAt = content.lastIndexOf('*3\r\n$3\r\nset')
    for (let end = lastAt; end < content.length; end += 1) {
      const events = read(content.subarray(0, end)).filter(([does]) => does !== 'torn')
      expect(events).toEqual(whole.slice(0, -1))
    }
  })
})

describe('damage', () => {
  const [a, b, c] = [command('set', 'a', '1'), command('set', 'b', '2'), command('set', 'c', '3')]

  test.each([
    ['a record that is overwritten', a + 'X'.repeat(b.length) + c],
    ['a length that is too long', a + b.replace('$1\r\n2', '$7\r\n2') + c],
    ['a length beyond the end', a + b.replace('$1\r\n2', '$999999999\r\n2') + c],
    ['a command that is none', a + command('hset', 'b', '2') + c],
    ['a record that was torn long ago', a + b.slice(0, -4) + c],
    ['an expiry that is none', a + command('set', 'b', '2', 'ex', 'soon') + c],
  ])('%s is named with its place, and what follows is read', (_what, content) => {
    const events = read(content)
    expect(events.map(([does]) => does)).toEqual(['set', 'damage', 'set'])
    expect(events[1]).toEqual(['damage', a.length, content.length - c.length])
    expect(events[2]).toEqual(['set', 'c', '3'])
  })

  test('anywhere never stops the reading, nor makes up a record', () => {
    const content = Buffer.from(a + b + c)
    const known = new Set(['a=1', 'b=2', 'c=3'])
    fc.assert(
      fc.property(fc.nat(content.length - 1), fc.nat(255), (at, byte) => {
        const damaged = Buffer.from(content)
        damaged[at] = byte
        const sets = read(damaged).filter(([does]) => does === 'set')
        // A byte within a key or a value can't be told from a good one.
        expect(sets.length).toBeGreaterThanOrEqual(2)
        expect(sets.filter(([, key, value]) => !known.has(`${key}=${value}`)).length).toBeLessThanOrEqual(1)
      }),
    )
  })
})
