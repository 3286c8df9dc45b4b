import type { IncomingMessage } from 'node:http'
import { describe, expect, test } from 'vitest'
import { createClientAddress } from '../../src/http/client-address.ts'

function from(peer: string | undefined, forwarded?: string): IncomingMessage {
  const headers = forwarded === undefined ? {} : { 'x-forwarded-for': forwarded }
  return { socket: { remoteAddress: peer }, headers } as unknown as IncomingMessage
}

test('without trusted proxies the connection counts, whatever a header says', () => {
  const addressOf = createClientAddress([])
  expect(addressOf(from('192.0.2.1', '10.9.9.9'))).toBe('192.0.2.1')
  expect(addressOf(from('::ffff:192.0.2.1'))).toBe('192.0.2.1')
  expect(addressOf(from(undefined))).toBeNull()
})

describe('behind trusted proxies', () => {
  const addressOf = createClientAddress(['10.0.0.0/8', 'fd00::/8', '192.0.2.7'])

  test.each([
    ['a stranger who writes the header himself', '203.0.113.5', '198.51.100.1', '203.0.113.5'],
    ['one proxy', '10.0.0.1', '198.51.100.1', '198.51.100.1'],
    ['one proxy, as IPv6 sockets show it', '::ffff:10.0.0.1', '198.51.100.1', '198.51.100.1'],
    ['two proxies', '10.0.0.1', '198.51.100.1, 192.0.2.7', '198.51.100.1'],
    ['what the client wrote in front', '10.0.0.1', '1.2.3.4, 198.51.100.1', '198.51.100.1'],
    ['ports', 'fd00::1', '198.51.100.1:4711', '198.51.100.1'],
    ['IPv6 with a port', '10.0.0.1', '[2001:db8::1]:443', '2001:db8::1'],
    ['proxies alone', '10.0.0.1', '10.0.0.2, 10.0.0.3', '10.0.0.2'],
    ['no header', '10.0.0.1', undefined, '10.0.0.1'],
    ['an empty header', '10.0.0.1', '', '10.0.0.1'],
    ['rubbish', '10.0.0.1', '198.51.100.1, unknown', '10.0.0.1'],
    ['an address that is none', '10.0.0.1', '300.1.1.1', '10.0.0.1'],
  ])('%s', (_what, peer, forwarded, client) => {
    expect(addressOf(from(peer, forwarded))).toBe(client)
  })
})
