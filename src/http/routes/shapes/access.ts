import { z } from 'zod'
import { clusterKinds } from '../../../core/clusters/cluster.ts'

const Name = z.string().min(1).max(256)

const ClusterEntry = z
  .strictObject({
    id: Name.meta({ description: "The cluster's own id (AIStore: its UUID)" }),
    kind: z.enum(clusterKinds).optional().meta({ description: 'Default: aistore' }),
    alias: z.string().max(256).nullable().optional().meta({ description: 'A short name; absent = none' }),
    urls: z
      .array(z.string().max(2048))
      .max(16)
      .optional()
      .meta({ description: 'Where it can be reached, tried in this order; http:// or https://' }),
  })
  .meta({ id: 'AccessCluster' })

const GrantEntry = z
  .strictObject({
    cluster: Name.meta({ description: 'Id or alias; `*` = every cluster without a grant of its own' }),
    bucket: z.string().min(1).max(4096).optional().meta({
      description:
        '`name`, `ais://name`, `s3://name`, `ais://#namespace/name`; absent = the cluster as a whole. Where a bucket has a grant, it alone decides for the bucket',
    }),
    permissions: z.array(z.string().min(1).max(64)).max(256).meta({
      description: 'Names such as GET, PUT, LIST-BUCKETS; ro, rw and su stand for several',
    }),
  })
  .meta({ id: 'AccessGrant' })

const RoleEntry = z
  .strictObject({
    name: Name,
    description: z.string().max(4096).optional(),
    grants: z.array(GrantEntry).max(10_000).optional(),
  })
  .meta({ id: 'AccessRole' })

const literalRule =
  'must be a reference, { env: NAME } or { file: path }: a password that stands here would end up wherever this file does'

const PasswordReference = z
  .union(
    [
      z.strictObject({ env: z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'must be the name of a variable') }),
      z.strictObject({ file: z.string().min(1).max(4096) }),
    ],
    { error: literalRule },
  )
  .meta({
    description:
      'Where `gatehouse apply` finds the password: a variable of its environment, or a file. Never the password',
  })

const UserEntry = z
  .strictObject({
    name: Name,
    roles: z.array(Name).max(1000).optional().meta({ description: 'All roles of the user; absent = none' }),
    isDisabled: z.boolean().optional().meta({ description: 'Gets no token; default: false' }),
    password: PasswordReference.optional().meta({ description: 'Needed where the user is new, else not looked at' }),
    updatePassword: z.boolean().optional().meta({
      description: 'Sets the password also where the user is there, each time: the tokens of the user are revoked',
    }),
  })
  .meta({ id: 'AccessUser' })

/** Configuration as code: what `gatehouse apply` takes and `gatehouse export` writes. */
export const AccessDocument = z
  .strictObject({
    apiVersion: z.literal('gatehouse/v1'),
    clusters: z.array(ClusterEntry).max(10_000).optional(),
    roles: z.array(RoleEntry).max(10_000).optional(),
    users: z.array(UserEntry).max(50_000).optional(),
  })
  .meta({
    id: 'Access',
    title: 'Access of a Gatehouse',
    description:
      'Clusters, roles, and users with their roles. An entry says all of a thing: what it leaves out has its default. A list that is absent is not spoken of, and never pruned.',
  })

/** The JSON schema for editors. */
export function presentAccessSchema(): Record<string, unknown> {
  return { ...z.toJSONSchema(AccessDocument, { io: 'input', target: 'draft-7' }) }
}

const mostItems = 20_000
const isPruned = z.boolean().optional().meta({ description: 'Remove what the lists of the document do not name' })

export const PlanBody = z.strictObject({
  access: AccessDocument,
  prune: isPruned,
  limit: z.int().min(0).max(mostItems).optional().meta({ description: 'How many items are listed; default: 1000' }),
})

export const ApplyBody = z.strictObject({
  access: AccessDocument,
  prune: isPruned,
  plan: z.string().max(64).optional().meta({
    description: '`digest` of the plan that was looked at; refused where something else would be done by now',
  }),
  passwords: z.record(Name, z.string().max(2048)).optional().meta({
    description: 'For each user whose password is needed what POST /access/passwords answered',
  }),
})

const maximumPasswords = 200

export const PasswordsBody = z.strictObject({
  passwords: z
    .record(Name, z.string().min(1).max(4096))
    .refine((passwords) => Object.keys(passwords).length <= maximumPasswords, `at most ${maximumPasswords} at once`)
    .meta({ description: `By user, at most ${maximumPasswords} at once` }),
})

export const HashedPasswords = z
  .object({ passwords: z.record(z.string(), z.string()) })
  .meta({ id: 'HashedPasswords', description: 'Sealed; each good for its user alone, for an hour' })

const FieldValue = z.union([z.string(), z.boolean(), z.array(z.string()), z.null()])

const Item = z
  .object({
    kind: z.enum(['cluster', 'role', 'user']),
    name: z.string(),
    act: z.enum(['create', 'change', 'remove']),
    fields: z.array(z.object({ field: z.string(), before: FieldValue, after: FieldValue })),
    holders: z.int().nullable().meta({ description: 'Users who hold the role that allows less or goes; else null' }),
    tokens: z.int().meta({ description: 'Live tokens that would be revoked, since they say too much' }),
  })
  .meta({ id: 'AccessChange' })

const plan = {
  digest: z.string().meta({ description: 'Names what would be done' }),
  created: z.int(),
  changed: z.int(),
  removed: z.int(),
  unchanged: z.int(),
  items: z.array(Item).meta({ description: 'What goes, then what changes, then what is new' }),
  omitted: z.int().meta({ description: 'Items beyond `limit`, which are counted and not listed' }),
  kept: z
    .array(
      z.object({ kind: z.enum(['cluster', 'role', 'user']), name: z.string(), why: z.enum(['built_in', 'yourself']) }),
    )
    .meta({ description: 'Not named, and not removed all the same' }),
  warnings: z.array(z.string()),
}

export const PlanAnswer = z
  .object({
    ...plan,
    passwordsNeeded: z.array(z.string()).meta({ description: 'Users whose passwords are needed to apply it' }),
  })
  .meta({ id: 'AccessPlan' })

export const AppliedAnswer = z
  .object({
    digest: plan.digest,
    created: z.int(),
    changed: z.int(),
    removed: z.int(),
    unchanged: z.int(),
    revokedTokens: z.int(),
  })
  .meta({ id: 'AccessApplied' })

export const ExportQuery = z.strictObject({
  limit: z
    .string()
    .regex(/^\d{1,5}$/)
    .transform(Number)
    .refine((limit) => limit >= 1 && limit <= 5000, 'must be from 1 to 5000')
    .optional()
    .meta({ type: 'integer', minimum: 1, maximum: 5000, default: 5000, pattern: undefined }),
  cursor: z.string().max(600).optional().meta({ description: '`next` of the page before' }),
})

export const ExportAnswer = z
  .object({ access: AccessDocument, next: z.string().nullable() })
  .meta({ id: 'ExportedAccess', description: 'Users come in pages, all else with the first' })

export const RoleDiffBody = z.strictObject({
  roles: z.array(RoleEntry).min(1).max(10_000),
  limit: z.int().min(1).max(1000).optional().meta({ description: 'How many groups are listed; default: 50' }),
  skip: z.int().min(0).optional().meta({ description: 'How many groups are left out first' }),
})

const Group = z
  .object({
    roles: z.array(z.string()),
    users: z.int(),
    sample: z.array(z.string()).meta({ description: 'Some of their names' }),
    changes: z.array(
      z.object({
        cluster: z.string().meta({ description: 'Alias or id; `*` = every other cluster' }),
        bucket: z.string().nullable(),
        gained: z.array(z.string()),
        lost: z.array(z.string()),
      }),
    ),
  })
  .meta({ id: 'AffectedGroup', description: 'Users who hold the very same roles' })

export const RoleDiffAnswer = z
  .object({
    changed: z.array(z.string()),
    created: z.array(z.string()),
    holders: z.int().meta({ description: 'Users who hold a changed role' }),
    unaffected: z.int().meta({ description: 'Of them, those for whom nothing changes' }),
    groups: z.array(Group),
    groupCount: z.int(),
  })
  .meta({ id: 'RoleDiff' })

export type PlanAnswer = z.output<typeof PlanAnswer>
export type AppliedAnswer = z.output<typeof AppliedAnswer>
export type ExportAnswer = z.output<typeof ExportAnswer>
export type HashedPasswords = z.output<typeof HashedPasswords>
export type RoleDiffAnswer = z.output<typeof RoleDiffAnswer>
