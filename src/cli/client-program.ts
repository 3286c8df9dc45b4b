/** The commands that talk to a server: how they are called. What they do is loaded when one runs. */
import type { Command } from 'commander'
import { accessCommands, roleDiffCommand, schemaCommand } from './client-access.ts'
import type { LoginOptions } from './commands/session.ts'
import type { CliContext } from './context.ts'
import { type Definition, passwordOptions } from './definition.ts'
import {
  registrationCommands,
  roleCommands,
  settingCommands,
  tokenListCommand,
  userCommands,
} from './directory-program.ts'
import { exitCodesHelp } from './failures.ts'

const reason = ['--reason <text>', 'why, for people; kept with the act'] as const
const watchOption = ['--watch', 'look every second, until Ctrl-C'] as const
/** Which data folder is meant: the flags of `serve` of these names. */
const localOptions = [
  ['--local', 'work on the database of the data folder, without a server or a login: first aid'],
  ['--data-dir <path>', 'with --local: the data folder (env: GATEHOUSE_DATA_DIR)'],
  ['--config <path>', 'with --local: the configuration file, or its folder (env: AIS_AUTHN_CONF_DIR)'],
  ['--master-key-file <path>', 'with --local: the file of the master key (env: GATEHOUSE_MASTER_KEY_FILE)'],
] as const
const tokenFile = ['--file <path>', "a file with the token's text, as `ais auth login` writes it"] as const
const all = (what: string) => ['--all', what] as const

/** Adds them all. `exitWith` is told the exit code when one has ended. */
export function addClientCommands(program: Command, context: CliContext, exitWith: (code: number) => void): void {
  function add(parent: Command, { usage, synopsis, description, options = [], example, act }: Definition) {
    const command = parent.command(usage).description(description)
    if (synopsis !== undefined) command.usage(synopsis.join('\n       gatehouse '))
    for (const [flags, text] of options) command.option(flags, text)
    command
      .option('--url <url>', 'the server (env: GATEHOUSE_URL, AIS_AUTHN_URL; else that of the last login)')
      .option('--ca-file <path>', 'certificates (PEM) to trust beside the usual ones (env: AIS_CLIENT_CA)')
      .option('--json', 'as JSON')
      .option('--quiet', 'only what a script needs, if anything')
      .addHelpText('after', `\nExample:\n  gatehouse ${example}\n${exitCodesHelp}`)
      .action(async (...given: unknown[]) => exitWith(await act(...(given.slice(0, -1) as never[]))))
  }
  const group = (name: string, description: string) => program.command(name).description(description)

  for (const definition of sessionCommands(context)) add(program, definition)
  const cluster = group('cluster', 'clusters and how they are')
  for (const definition of [...clusterCommands(context), ...registrationCommands(context)]) add(cluster, definition)
  const revoke = group('revoke', 'make tokens worthless, everywhere')
  for (const definition of revokeCommands(context)) add(revoke, definition)
  const revocation = group('revocation', 'what was revoked, and which clusters have it')
  for (const definition of revocationCommands(context)) add(revocation, definition)
  const token = group('token', 'tokens: lists of them, and single ones')
  for (const definition of [tokenListCommand(context), tokenCommand(context)]) add(token, definition)
  const lock = group('lock', 'no tokens for a user, or through a role, until a time')
  for (const definition of lockCommands(context)) add(lock, definition)
  add(program, unlockCommand(context))
  const user = group('user', 'users, their roles and passwords')
  for (const definition of [...userCommands(context), ...firstAidCommands(context)]) add(user, definition)
  const role = group('role', 'what users may do on clusters')
  for (const definition of [...roleCommands(context), roleDiffCommand(context)]) add(role, definition)
  const setting = group('setting', 'settings of the server that can be changed while it runs')
  for (const definition of settingCommands(context)) add(setting, definition)
  const key = group('key', 'signing keys')
  for (const definition of keyCommands(context)) add(key, definition)
  const audit = group('audit', 'who did what, and is the trail whole')
  for (const definition of auditCommands(context)) add(audit, definition)
  for (const definition of accessCommands(context)) add(program, definition)
  add(group('schema', 'schemas for editors'), schemaCommand(context))
}

function sessionCommands(context: CliContext): readonly Definition[] {
  const load = () => import('./commands/session.ts')
  return [
    {
      usage: 'login [name]',
      description: 'log in, and keep the token for the commands that follow',
      options: [
        ...passwordOptions,
        ['--lifetime <duration>', 'how long the token is to live, for instance 12h or 7d'],
        ['--print-token', 'print the token instead of keeping it, for clients that want it in a variable'],
      ],
      example: 'login admin --url https://gatehouse.example:52001',
      act: async (name: string | undefined, options: LoginOptions) => (await load()).login(name, options, context),
    },
    {
      usage: 'logout',
      description: 'revoke the token of the login, on every cluster, and forget it',
      example: 'logout',
      act: async (options) => (await load()).logout(options, context),
    },
    {
      usage: 'whoami',
      description: 'show who is logged in, as the server sees it',
      example: 'whoami',
      act: async (options) => (await load()).whoami(options, context),
    },
  ]
}

function clusterCommands(context: CliContext): readonly Definition[] {
  const load = () => import('./commands/cluster.ts')
  return [
    {
      usage: 'list',
      description: 'list clusters: in step or behind, how far, why, and when they are asked again',
      options: [watchOption],
      example: 'cluster list --watch',
      act: async (options) => (await load()).listClusters(options, context),
    },
    {
      usage: 'show <cluster>',
      description: 'show one cluster (id or alias): what is wrong, what to do, each proxy',
      options: [watchOption],
      example: 'cluster show lake',
      act: async (name, options) => (await load()).showCluster(name, options, context),
    },
    {
      usage: 'resync <cluster>',
      description: 'send every revocation again to one cluster',
      example: 'cluster resync lake',
      act: async (name, options) => (await load()).resyncCluster(name, options, context),
    },
  ]
}

function revokeCommands(context: CliContext): readonly Definition[] {
  const load = () => import('./commands/revoke.ts')
  const by = (choice: 'user' | 'role' | 'cluster' | 'key' | 'session', description: string, example: string) => ({
    usage: `${choice} <${choice === 'key' ? 'kid' : choice === 'session' ? 'id' : 'name'}>`,
    description,
    options: [reason],
    example: `revoke ${choice} ${example}`,
    act: async (name: string, options: object) => (await load()).revokeBy(choice, name, options, context),
  })
  return [
    {
      usage: 'token [jti]',
      description: 'one token: by its id, by its text on standard input (-), or from a file',
      options: [tokenFile, reason],
      example: 'revoke token --file ~/.config/ais/cli/auth.token --reason "laptop stolen"',
      act: async (token, options) => (await load()).revokeToken(token, options, context),
    },
    by('user', 'every token of a user', 'ann --reason "has left"'),
    by('role', 'every token that carries a role', 'photographer'),
    by('cluster', 'every token that a cluster (id or alias) would take', 'lake'),
    by('key', 'every token that a key has signed', 'Zc1dGwJ0bVnk3Yq2f2m6w0oG4x0cQ9o7v1u2hQyq3e8'),
    by('session', 'every token of one login', '0f8e3c9e-7d6f-4a6e-9d53-0c6a0b1f2d11'),
    {
      usage: 'before <instant>',
      description: 'every token that was issued before an instant (ISO 8601, or now)',
      options: [reason],
      example: 'revoke before 2026-05-01T12:00:00Z --reason "key leaked"',
      act: async (instant, options) => (await load()).revokeBefore(instant, options, context),
    },
  ]
}

function revocationCommands(context: CliContext): readonly Definition[] {
  const load = () => import('./commands/revocation.ts')
  return [
    {
      usage: 'list',
      description: 'list what was revoked, newest first',
      options: [all('single tokens too: each log-out is one'), ['--limit <number>', 'how many at most (default: 50)']],
      example: 'revocation list --all --limit 10',
      act: async (options) => (await load()).listRevocations(options, context),
    },
    {
      usage: 'show <id>',
      description: 'show which clusters have a revocation, since when, which not, and why',
      options: [['--watch', 'look every second, until every cluster has it']],
      example: 'revocation show 17 --watch',
      act: async (id, options) => (await load()).showRevocation(id, options, context),
    },
  ]
}

function tokenCommand(context: CliContext): Definition {
  return {
    usage: 'show [jti]',
    description:
      'is a token dead everywhere? if not, where not, and why? (by id, by text on standard input (-), or file)',
    options: [tokenFile],
    example: 'token show - < suspicious-token.txt',
    act: async (token, options) => (await import('./commands/token.ts')).showToken(token, options, context),
  }
}

function lockCommands(context: CliContext): readonly Definition[] {
  const load = () => import('./commands/lock.ts')
  const ends = [
    ['--for <duration>', 'how long, for instance 2h or 7d'],
    ['--until <instant>', 'or until when (ISO 8601)'],
    reason,
  ] as const
  return [
    {
      usage: 'user <name>',
      description: 'no tokens for a user: the live ones are revoked, and no login until the lock ends',
      options: ends,
      example: 'lock user ann --for 2h --reason "looking into it"',
      act: async (name, options) => (await load()).lockTarget('user', name, options, context),
    },
    {
      usage: 'role <name>',
      description: 'no tokens through a role: the live ones that carry it are revoked',
      options: ends,
      example: 'lock role photographer --until 2026-05-01T12:00:00Z',
      act: async (name, options) => (await load()).lockTarget('role', name, options, context),
    },
    {
      usage: 'list',
      description: 'list the locks that hold',
      options: [all('those that have ended too')],
      example: 'lock list',
      act: async (options) => (await load()).listLocks(options, context),
    },
  ]
}

function unlockCommand(context: CliContext): Definition {
  return {
    usage: 'unlock <lock>',
    description: 'end a lock early: by its number, or by the name of the user or role',
    example: 'unlock ann',
    act: async (name, options) => (await import('./commands/lock.ts')).unlock(name, options, context),
  }
}

function firstAidCommands(context: CliContext): readonly Definition[] {
  const load = () => import('./commands/first-aid.ts')
  return [
    {
      usage: 'reset-password <name>',
      description: "give a user a new password; all the user's tokens are revoked",
      options: [...passwordOptions, ['--generate', 'make one up and print it'], ...localOptions],
      example: 'user reset-password admin --local --data-dir /etc/ais/authn',
      act: async (name, options) => (await load()).resetPassword(name, options, context),
    },
    {
      usage: 'unlock <name>',
      description: 'let a user log in again whom too many failed logins have locked out',
      options: localOptions,
      example: 'user unlock ann',
      act: async (name, options) => (await load()).unlockLogin(name, options, context),
    },
  ]
}

function keyCommands(context: CliContext): readonly Definition[] {
  const load = () => import('./commands/key.ts')
  return [
    {
      usage: 'list',
      description: 'list signing keys',
      example: 'key list',
      act: async (options) => (await load()).listKeys(options, context),
    },
    {
      usage: 'rotate',
      description: 'make a new signing key, and name the clusters that do not trust it',
      example: 'key rotate',
      act: async (options) => (await load()).rotateKey(options, context),
    },
    {
      usage: 'retire <kid>',
      description: 'end all trust in a key that signs no more',
      example: 'key retire Zc1dGwJ0bVnk3Yq2f2m6w0oG4x0cQ9o7v1u2hQyq3e8',
      act: async (kid, options) => (await load()).retireKey(kid, options, context),
    },
  ]
}

const auditFilter = [
  ['--actor <name>', 'who did it'],
  ['--action <action>', 'what was done, for instance user.changed'],
  ['--target <kind:name>', 'to what, for instance user:ann or role:reader'],
  ['--refused', 'only what was refused'],
  ['--request <id>', 'by which request (X-Request-Id)'],
  ['--from <when>', 'at or after an instant (ISO 8601), or so long ago: 2h, 7d'],
  ['--until <when>', 'before an instant, or so long ago'],
] as const

function auditCommands(context: CliContext): readonly Definition[] {
  const load = () => import('./commands/audit.ts')
  return [
    {
      usage: 'list',
      description: 'list who did what, newest first',
      options: [...auditFilter, ['--limit <number>', 'how many at most (default: 50)']],
      example: 'audit list --target user:ann --from 7d',
      act: async (options) => (await load()).listAudit(options, context),
    },
    {
      usage: 'show <id>',
      description: 'show one row: what was before, what after',
      example: 'audit show 17',
      act: async (id, options) => (await load()).showAudit(id, options, context),
    },
    {
      usage: 'tail',
      description: 'show what is done as it is done, until Ctrl-C; with --json as JSON lines',
      options: auditFilter,
      example: 'audit tail --refused',
      act: async (options) => (await load()).tailAudit(options, context),
    },
    {
      usage: 'export',
      description: 'write all rows as JSON lines, the first one first',
      options: [...auditFilter, ['--output <file>', 'a new file, readable by you alone, instead of standard output']],
      example: 'audit export --from 2026-05-01 --output audit.jsonl',
      act: async (options) => (await load()).exportAudit(options, context),
    },
    {
      usage: 'verify',
      description: 'check that no row was changed, removed, inserted or moved (exit code 12: one was)',
      options: [
        ['--head <id:hash>', 'compare with the head that an earlier check has shown'],
        ['--local', 'check the database file itself; the service need not run'],
        ['--data-dir <path>', 'with --local: the data folder (env: GATEHOUSE_DATA_DIR)'],
        ['--config <path>', 'with --local: the configuration file, or its folder (env: AIS_AUTHN_CONF_DIR)'],
      ],
      example: 'audit verify --local --data-dir /var/lib/gatehouse',
      act: async (options) => (await import('./commands/audit-verify.ts')).verifyAudit(options, context),
    },
  ]
}
