/** The commands on users, roles, registration of clusters, lists of tokens, and settings: how they are called. */
import type { CliContext } from './context.ts'
import { type Definition, passwordOptions } from './definition.ts'

const limit = ['--limit <number>', 'how many at most (default: 1000)'] as const
const keepTokens = ['--keep-tokens', 'leave live tokens that say more than is true from then on'] as const
const newPassword = [...passwordOptions, ['--generate', 'make one up and print it']] as const

export function userCommands(context: CliContext): readonly Definition[] {
  const load = () => import('./commands/user.ts')
  return [
    {
      usage: 'list',
      description: 'list users',
      options: [
        ['--role <role>', 'those who have this role'],
        ['--disabled', 'those who are disabled'],
        ['--prefix <text>', 'those whose name begins so'],
        limit,
      ],
      example: 'user list --role photographer',
      act: async (options) => (await load()).listUsers(options, context),
    },
    {
      usage: 'show <name>',
      description: 'show a user: roles, and whether disabled',
      example: 'user show ann',
      act: async (name, options) => (await load()).showUser(name, options, context),
    },
    {
      usage: 'create <name>',
      description: 'make a user, with roles or without',
      options: [...newPassword, ['--role <role...>', 'roles to begin with']],
      example: 'user create ann --role photographer --generate',
      act: async (name, options) => (await load()).createUser(name, options, context),
    },
    {
      usage: 'password',
      description: 'change the own password, by the present one; other tokens of the own are revoked',
      options: [...newPassword, ['--current-password-file <path>', 'read the present password from a file']],
      example: 'user password',
      act: async (options) => (await load()).changeOwnPassword(options, context),
    },
    {
      usage: 'grant <name> <role...>',
      description: 'give a user roles, beside those that the user has',
      example: 'user grant ann photographer',
      act: async (name, roles, options) => (await load()).grantRoles(name, roles, options, context),
    },
    {
      usage: 'take <name> <role...>',
      description: 'take roles away from a user; the tokens that carry them are revoked',
      options: [keepTokens],
      example: 'user take ann photographer',
      act: async (name, roles, options) => (await load()).takeRoles(name, roles, options, context),
    },
    {
      usage: 'disable <name>',
      description: 'no login and no token for a user until enabled again; the live ones are revoked',
      example: 'user disable ann',
      act: async (name, options) => (await load()).setDisabled(name, true, options, context),
    },
    {
      usage: 'enable <name>',
      description: 'let a user log in again',
      example: 'user enable ann',
      act: async (name, options) => (await load()).setDisabled(name, false, options, context),
    },
    {
      usage: 'remove <name>',
      description: 'remove a user; all tokens of the user are revoked',
      example: 'user remove ann',
      act: async (name, options) => (await load()).removeUser(name, options, context),
    },
  ]
}

export function roleCommands(context: CliContext): readonly Definition[] {
  const load = () => import('./commands/role.ts')
  const on = ['--on <entry...>', 'what it allows: <cluster>[/<bucket>]=<permission>,…; `*` = every cluster'] as const
  const content = [['--description <text>', 'for people'], on] as const
  return [
    {
      usage: 'list',
      description: 'list roles',
      options: [['--cluster <cluster>', 'those with an entry for this cluster (id or alias)'], limit],
      example: 'role list --cluster lake',
      act: async (options) => (await load()).listRoles(options, context),
    },
    {
      usage: 'show <name>',
      description: 'show a role: what it allows, and where',
      example: 'role show photographer',
      act: async (name, options) => (await load()).showRole(name, options, context),
    },
    {
      usage: 'create <name>',
      description: 'make a role',
      options: content,
      example: 'role create photographer --on lake/ais://photos=ro lake=LIST-BUCKETS',
      act: async (name, options) => (await load()).createRole(name, options, context),
    },
    {
      usage: 'set <name>',
      description: 'say what a role is: with --on all that it allows, with --description how it is described',
      options: [...content, ['--nothing', 'it allows nothing any more'], keepTokens],
      example: 'role set photographer --on lake/ais://photos=rw --description "Reads and writes photos"',
      act: async (name, options) => (await load()).setRole(name, options, context),
    },
    {
      usage: 'remove <name>',
      description: 'remove a role; the tokens that carry it are revoked',
      options: [keepTokens],
      example: 'role remove photographer',
      act: async (name, options) => (await load()).removeRole(name, options, context),
    },
    {
      usage: 'permissions',
      description: 'list the permissions that roles may allow, with their meanings',
      example: 'role permissions',
      act: async (options) => (await load()).listPermissions(options, context),
    },
  ]
}

export function registrationCommands(context: CliContext): readonly Definition[] {
  const load = () => import('./commands/registration.ts')
  const aliasOption = ['--alias <alias>', 'a short name for people'] as const
  return [
    {
      usage: 'register <id> <url...>',
      description:
        'take a cluster in, by its own id (the UUID that `ais show cluster` gives) and the URLs of its proxies: it must trust the signing key',
      options: [aliasOption],
      example: 'cluster register FXjl0NWGOU http://proxy-1.lake:51080 --alias lake',
      act: async (id, urls, options) => (await load()).registerCluster(id, urls, options, context),
    },
    {
      usage: 'set <cluster>',
      description: 'change alias or URLs of a cluster; it is asked anew whether it trusts the signing key',
      options: [aliasOption, ['--no-alias', 'without an alias from now on'], ['--proxy <url...>', 'all its URLs']],
      example: 'cluster set lake --proxy http://proxy-2.lake:51080',
      act: async (name, options) => (await load()).setCluster(name, options, context),
    },
    {
      usage: 'remove <cluster>',
      description: 'forget a cluster: it hears of no revocation any more',
      example: 'cluster remove lake',
      act: async (name, options) => (await load()).removeCluster(name, options, context),
    },
  ]
}

export function tokenListCommand(context: CliContext): Definition {
  return {
    usage: 'list',
    description: 'list tokens, newest first',
    options: [
      ['--user <name>', 'of this user'],
      ['--role <role>', 'that carry this role'],
      ['--cluster <cluster>', 'that this cluster (id or alias) would take'],
      ['--key <kid>', 'that this key has signed'],
      ['--state <state>', 'live, revoked or expired'],
      ['--since <instant>', 'issued from then on (ISO 8601)'],
      ['--until <instant>', 'issued before then (ISO 8601, or now)'],
      ['--limit <number>', 'how many at most (default: 50)'],
    ],
    example: 'token list --user ann --state live',
    act: async (options) => (await import('./commands/token-list.ts')).listTokens(options, context),
  }
}

export function settingCommands(context: CliContext): readonly Definition[] {
  const load = () => import('./commands/setting.ts')
  return [
    {
      usage: 'list',
      description: 'list the settings of the server that can be changed while it runs',
      example: 'setting list',
      act: async (options) => (await load()).listSettings(options, context),
    },
    {
      usage: 'set <name> [value]',
      description: 'change a setting of the server; a secret comes from a prompt, --value-stdin or --value-file',
      options: [
        ['--value-stdin', 'read the value from standard input'],
        ['--value-file <path>', 'read the value from a file'],
      ],
      example: 'setting set auth.expiration_time 12h',
      act: async (name, value, options) => (await load()).setSetting(name, value, options, context),
    },
  ]
}
