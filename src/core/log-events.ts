/**
 * Every event that the log can hold. The set is closed: what isn't here, or is logged at another level than it says,
 * doesn't compile. The reference of log events is made from it.
 */

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

interface EventRow {
  /** At which it is logged. More than one: by how things went. */
  readonly levels: readonly LogLevel[]
  /** When it is logged, and what its members say that their names don't. */
  readonly description: string
}

export const logEvents = {
  'audit.head': {
    levels: ['info'],
    description:
      'How far the audit trail has got: the `id` and `hash` of its last row, at the start and then every hour in which it has grown. A log that is kept elsewhere shows by them whether the end of the trail was cut off.',
  },
  'audit.refusal_lost': {
    levels: ['error'],
    description: 'A refused `action` could not be written to the audit trail, `repeats` times the same. `error`.',
  },
  'authn.finding': {
    levels: ['warn'],
    description:
      'Something in the data of AIStore AuthN that was repaired or set aside when it was taken over: one line for each `kind`, with what it is (`says`), what was done (`outcome`), how many there are (`count`) and the first of them (`where`).',
  },
  'authn.taken_over': {
    levels: ['info'],
    description:
      'The first start beside an `authn.db` has taken over what is in it: how many `users`, `roles`, `clusters`, `keys` and `revokedTokens`, from which file (`from`), and what became of the signing key.',
  },
  'certificate.refused': {
    levels: ['error'],
    description:
      'The certificate files have changed and can not be used; the former certificate is served on. `file`, `error`.',
  },
  'certificate.reloaded': {
    levels: ['info'],
    description: 'The certificate files have changed and are in use. `file`, `expiresAt`.',
  },
  'cluster.deregistered': { levels: ['info'], description: 'A cluster was removed from Gatehouse. `cluster`.' },
  'access.applied': {
    levels: ['info'],
    description:
      'Configuration as code was applied: `by` whom, how much was `created`, `changed` and `removed`, and how many `tokens` were revoked with it.',
  },
  'cluster.registered': {
    levels: ['info'],
    description:
      'A cluster was added. `cluster`, `alias`, `urls`, and `acknowledged`: up to which change it was told before that.',
  },
  'cluster.updated': { levels: ['info'], description: 'Alias or URLs of a cluster were changed. `cluster`.' },
  'delivery.attempted': {
    levels: ['info', 'warn'],
    description:
      'A cluster was told of revocations: `changes` of them, at `url`. `outcome` is `accepted`, or (at warn) `refused` with `reason`, `said` (its own words), `advice`, `attempts` and `nextAttemptAt`.',
  },
  'delivery.broken': {
    levels: ['error'],
    description: 'A request to a cluster could not be prepared: a fault of Gatehouse. `cluster`, `error`.',
  },
  'delivery.failed': {
    levels: ['error'],
    description:
      'Delivery to a cluster broke off, for instance since the database failed; it begins anew. `cluster`, `error`.',
  },
  'http.answered': {
    levels: ['info'],
    description:
      'One for each request. `requestId`, `method`, `path`, `status`, `ms`, `remote`, and `subject` where known.',
  },
  'http.failed': {
    levels: ['error'],
    description:
      'A request was answered with 500 or more: as `http.answered`, with the `error` that nobody else is told.',
  },
  'http.port_taken': {
    levels: ['warn'],
    description: 'The port is in use; it is tried again for `tryingForMs`. `host`, `port`.',
  },
  'http.requests_cut': {
    levels: ['warn'],
    description: 'The time to end was over with `requests` still unanswered; their connections were closed.',
  },
  'http.server_failed': { levels: ['error'], description: 'The listening socket failed. `error`.' },
  'key.asking_failed': {
    levels: ['error'],
    description: 'Asking clusters about a new key broke off: a fault of Gatehouse. `error`.',
  },
  'key.followed': {
    levels: ['info'],
    description: 'Another process on the same database has rotated the key; this one signs with it now. `kid`.',
  },
  'key.loaded': { levels: ['info'], description: 'The signing key was read from its file. `kid`, `path`.' },
  'key.made': { levels: ['info'], description: 'A signing key was made, at a first start. `kid`, `path`.' },
  'key.published': {
    levels: ['info'],
    description: 'The next signing key can be looked up; it does not sign yet. `kid`.',
  },
  'key.refused': {
    levels: ['warn'],
    description: 'A cluster does not take a new key. `cluster`, `kid`, `reason`, `said` (its own words), `advice`.',
  },
  'key.retired': { levels: ['info'], description: 'A key is trusted and published no longer. `kid`.' },
  'key.rotated': { levels: ['info'], description: 'Tokens are signed with another key from now on. `kid`.' },
  'key.turn_failed': {
    levels: ['error'],
    description: 'Looking for keys to activate or retire failed; it is tried again. `error`.',
  },
  'log.lines_lost': {
    levels: ['warn'],
    description: 'Whoever reads the log did not keep up: so many lines before this one were dropped (`lost`).',
  },
  'login.locked': {
    levels: ['warn'],
    description:
      'Failed logins have locked a name, an address or both together (`kind`, `name`, `address`) `until` then, after so many `failures`.',
  },
  'login_limits.off': {
    levels: ['warn'],
    description: 'Failed logins are not limited, by `login_limits`: passwords can be guessed. Said at each start.',
  },
  'operations.listening': { levels: ['info'], description: 'Metrics and health are served at `host` and `port`.' },
  'operations.not_listening': {
    levels: ['warn'],
    description:
      'The port of metrics and health is taken, and nobody asked for it by a setting: the service runs without. `error`.',
  },
  'password.rehash_failed': {
    levels: ['warn'],
    description: 'A password was right, and its hash of an older kind could not be replaced. `userKey`, `error`.',
  },
  'probe.ended': {
    levels: ['debug', 'info', 'warn'],
    description:
      'A cluster was looked at. At warn where something is wrong or is done about it: `act` (`none`, `spread`, `resync` with its `cause`), `proxies` by what they made of the canary, `isKeyTrusted`, `isAuthenticationOn`. At info where all is well again, at debug where nothing has changed.',
  },
  'probe.failed': {
    levels: ['error'],
    description: 'Looking at a cluster broke off: a fault of Gatehouse or its database. `cluster`, `error`.',
  },
  'process.failed': { levels: ['error'], description: 'A bug: the process ends. `error` has what a report needs.' },
  'service.started': {
    levels: ['info'],
    description: 'Requests are answered from now on. `version`, `url`, `dataDir`.',
  },
  'service.stop_timed_out': {
    levels: ['error'],
    description: 'The end took longer than `afterMs`; the process ends without waiting. Nothing acknowledged is lost.',
  },
  'service.stopped': { levels: ['info'], description: 'Everything has ended in order.' },
  'service.stopping': { levels: ['info'], description: 'A signal asked for the end: no new requests.' },
  'settings.changed': {
    levels: ['info'],
    description: 'Settings were changed at run time: their names in `settings`, never their values.',
  },
  'settings.stored_value_unused': {
    levels: ['warn'],
    description:
      'A value that was set at run time contradicts the configuration of now and is not used. `setting`, `reason`.',
  },
  'store.backed_up': {
    levels: ['info'],
    description:
      'A backup was made, since migrations are about to be applied. `backup` (its folder), `bytes`, `ms`, `before` (the migrations).',
  },
  'store.begun_anew': {
    levels: ['warn'],
    description:
      'There was a master key and no database: a new one was made. Where the database was lost, put a backup back (`advice`).',
  },
  'store.restored': {
    levels: ['warn'],
    description:
      'The first start on a database that was put back from a backup. `backup`, `backupAt`, `restoredAt`, `recovered` (how much there is of it), `notRecovered`, `resyncing` (clusters that are told everything again).',
  },
  'store.upgraded': {
    levels: ['info'],
    description: 'The database was brought to the shape of this version. `migrations`.',
  },
  'store.purged': {
    levels: ['info'],
    description:
      'What no longer matters was deleted: `tokens` long expired, `roles` long deleted, `acts` of revocation long past.',
  },
  'worker.failed': {
    levels: ['error'],
    description: 'Background work failed and is started again after a pause. `worker`, `error`.',
  },
} as const satisfies Readonly<Record<string, EventRow>>

export type LogEvent = keyof typeof logEvents

/** The events that are logged at this level. */
export type EventAt<L extends LogLevel> = {
  [E in LogEvent]: L extends (typeof logEvents)[E]['levels'][number] ? E : never
}[LogEvent]
