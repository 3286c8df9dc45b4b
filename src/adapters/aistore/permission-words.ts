/** AIStore's 64 permission bits by the names that its command line gives them (contract section 1.8). */
import { nearest } from '../../core/access/near.ts'
import { DomainError } from '../../core/errors.ts'
import type { PermissionWords } from '../../core/roles/permission-words.ts'

/** The place in the list is the bit. */
export const bitNames = [
  'GET',
  'HEAD-OBJECT',
  'PUT',
  'APPEND',
  'DELETE-OBJECT',
  'MOVE-OBJECT',
  'PROMOTE',
  'UPDATE-OBJECT',
  'HEAD-BUCKET',
  'LIST-OBJECTS',
  'PATCH',
  'SET-BUCKET-ACL',
  'LIST-BUCKETS',
  'SHOW-CLUSTER',
  'CREATE-BUCKET',
  'DESTROY-BUCKET',
  'MOVE-BUCKET',
  'ADMIN',
] as const

const allOnes = 2n ** 64n - 1n
/** As the command line has them: read-only, read and write (of 5.0), everything that there is or will be. */
const shorthands: Readonly<Record<string, bigint>> = { ro: 771n, rw: 831n, su: allOnes }
const bitOf = new Map<string, bigint>(bitNames.map((name, bit) => [name, BigInt(bit)]))

/** Bits without a name are `BIT-<number>`; all 64 are `su`. */
export const aistorePermissionWords: PermissionWords = {
  names: bitNames,
  parse: (names) => names.reduce((sum, name) => sum | bitsOf(name), 0n).toString(),
  present(permissions) {
    const known = presented.get(permissions)
    if (known !== undefined) return known
    const names = namesOf(BigInt(permissions))
    if (presented.size < mostRemembered) presented.set(permissions, names)
    return names
  },
}

/** Many grants have the same few permissions. */
const presented = new Map<string, readonly string[]>()
const mostRemembered = 1000

function namesOf(bits: bigint): readonly string[] {
  if (bits === allOnes) return ['su']
  const names: string[] = []
  for (let rest = bits, bit = 0; rest > 0n; rest >>= 1n, bit += 1) {
    if ((rest & 1n) === 1n) names.push(bitNames[bit] ?? `BIT-${bit}`)
  }
  return names
}

/** @throws DomainError field_invalid */
function bitsOf(name: string): bigint {
  const several = shorthands[name.toLowerCase()]
  if (several !== undefined) return several
  const bit = bitOf.get(name.toUpperCase())
  if (bit !== undefined) return 1n << bit
  const number = /^BIT-([0-9]|[1-5][0-9]|6[0-3])$/i.exec(name)?.[1]
  if (number !== undefined) return 1n << BigInt(number)
  throw unknownPermission('permissions', name)
}

/** @param field the member or parameter that holds the name */
export function unknownPermission(field: string, name: string): DomainError {
  const near = nearest(name, bitNames)
  const meant = near.length === 0 ? '.' : `; did you mean ${near.join(' or ')}?`
  const rule = `is unknown${meant} Known are ${bitNames.join(', ')}`
  return new DomainError('field_invalid', { field, what: 'permission', value: name.slice(0, 64), rule })
}
