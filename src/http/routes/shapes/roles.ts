import { z } from 'zod'

const Bucket = z.object({ provider: z.string(), name: z.string(), namespace: z.string() })

const number64 = z.string().meta({ description: 'The same as a 64-bit number, in decimal' })

export const EntryBody = z
  .object({
    cluster: z.string().nullable().meta({
      description: 'Id or alias; null = every cluster that has no entry of its own in the role',
    }),
    bucket: z.union([Bucket, z.null()]).meta({
      description: 'Null = the cluster itself. On a bucket with an entry of its own that entry alone decides',
    }),
    permissions: z.array(z.string()).meta({ description: 'By name: GET /permissions lists them' }),
    number: number64,
  })
  .meta({ id: 'Entry' })

export const RoleBody = z
  .object({
    name: z.string(),
    description: z.string(),
    isAdministrator: z.boolean().meta({ description: 'Whoever has it administers Gatehouse itself' }),
    isBuiltIn: z.boolean().meta({ description: 'Can be neither changed nor removed' }),
    authority: z.union([z.object({ role: z.string(), cluster: z.string().nullable() }), z.null()]).meta({
      description: 'What its holders may do at Gatehouse itself (GET /permissions), on one cluster or everywhere',
    }),
    entries: z.array(EntryBody).meta({ description: 'What it allows on clusters' }),
  })
  .meta({ id: 'Role' })

const NewEntry = z
  .strictObject({
    cluster: z.union([z.string().min(1).max(256), z.null()]),
    bucket: z
      .union([
        z.string().min(1).max(1100),
        z.strictObject({
          provider: z.string().max(32).optional(),
          name: z.string().min(1).max(512),
          namespace: z.string().max(512).optional(),
        }),
        z.null(),
      ])
      .optional()
      .meta({ description: 'A name, a text such as `s3://name` or `ais://#namespace/name`, or its parts' }),
    permissions: z.array(z.string().min(1).max(64)).max(128).optional().meta({
      description: 'Names of permissions and of sets (ro, rw, su), in any case',
    }),
    number: z
      .string()
      .regex(/^\d{1,20}$/, 'must be a number from 0 to 2^64-1, in decimal')
      .optional()
      .meta({ description: 'In place of names, or beside them: both must say the same' }),
  })
  .refine(({ permissions, number }) => permissions !== undefined || number !== undefined, {
    message: 'needs permissions, or number',
  })
  .meta({ id: 'NewEntry', description: 'With permissions, or number, or both' })

const content = {
  description: z.string().max(2000).optional().meta({ description: 'Absent = none' }),
  entries: z.array(NewEntry).max(10_000).optional().meta({ description: 'Absent = none' }),
  isAdministrator: z.literal(false).optional(),
  isBuiltIn: z.literal(false).optional(),
  // The generator of the document knows no null that stands alone.
  authority: z.null().optional().meta({ type: 'null' }),
}

export const NewRoleBody = z
  .strictObject({
    name: z
      .string()
      .min(1)
      .max(256)
      .meta({ description: 'At most 32 letters, digits, dashes and underscores, the last two neither first nor last' }),
    ...content,
  })
  .meta({ id: 'NewRole' })

export const WholeRoleBody = z
  .strictObject({ name: z.string().optional().meta({ description: 'That of the path' }), ...content })
  .meta({ id: 'WholeRole', description: 'What is absent is not there from then on' })

const Word = z.object({ name: z.string(), number: number64, meaning: z.string() })

export const PermissionsBody = z
  .object({
    gatehouse: z.object({
      permissions: z.array(z.string()).meta({ description: 'What may be done at Gatehouse itself' }),
      roles: z.array(z.object({ name: z.string(), permissions: z.array(z.string()) })),
    }),
    clusters: z
      .array(
        z.object({
          kind: z.string(),
          permissions: z.array(
            Word.extend({
              isClusterWide: z.boolean().meta({ description: 'Counts in entries of clusters alone' }),
            }),
          ),
          sets: z.array(Word).meta({ description: 'Words for several permissions' }),
        }),
      )
      .meta({ description: 'What roles may allow on clusters of each kind' }),
  })
  .meta({ id: 'Permissions' })

export type PermissionsBody = z.output<typeof PermissionsBody>
export type RoleBody = z.output<typeof RoleBody>
export type EntryBody = z.output<typeof EntryBody>
export type NewEntry = z.output<typeof NewEntry>
export type WholeRoleBody = z.output<typeof WholeRoleBody>
