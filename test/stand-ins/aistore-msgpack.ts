/** As much of MessagePack as a bucket listing needs: https://github.com/msgpack/msgpack/blob/master/spec.md */
export type Packable = string | number | readonly Packable[] | { readonly [member: string]: Packable }

export function pack(value: Packable): Buffer {
  if (typeof value === 'string') {
    const text = Buffer.from(value)
    return Buffer.concat([withLength(0xdb, text.length), text])
  }
  if (typeof value === 'number') {
    const bytes = Buffer.alloc(9, 0xd3)
    bytes.writeBigInt64BE(BigInt(value), 1)
    return bytes
  }
  if (Array.isArray(value)) {
    const list = value as readonly Packable[]
    return Buffer.concat([withLength(0xdd, list.length), ...list.map(pack)])
  }
  const members = Object.entries(value)
  return Buffer.concat([withLength(0xdf, members.length), ...members.flatMap(([name, of]) => [pack(name), pack(of)])])
}

function withLength(marker: number, length: number): Buffer {
  const bytes = Buffer.alloc(5, marker)
  bytes.writeUInt32BE(length, 1)
  return bytes
}
