import type { DatabaseFacts, MasterKeyFacts, SigningKeyFacts } from '../facts.ts'
import { type Finding, findingsOf } from '../finding.ts'

const database = findingsOf('database')
const keys = findingsOf('keys')

const largeLogBytes = 512 * 2 ** 20
const clockToleranceMs = 60_000

export function checkDatabase(facts: DatabaseFacts, now: Date): readonly Finding[] {
  const { ok, warning, problem } = database
  if (facts.kind === 'missing') {
    return [warning('database', `there is no database yet (${facts.path})`, 'The first start of the service makes it.')]
  }
  if (facts.kind === 'unusable') {
    const mend = facts.isTooNew
      ? 'Install the version that it was used with, or restore the backup that the upgrade made.'
      : 'Look at what the reason names; where the file is damaged, restore a backup: gatehouse restore.'
    return [problem('database', facts.reason, mend)]
  }
  const { damage, isFullCheck, pendingMigrations, logBytes, lastWrittenAt } = facts
  const findings: Finding[] = []
  if (damage !== undefined) {
    const mend = 'Stop the service, and restore a backup: gatehouse restore --force. Look into the disk.'
    findings.push(problem('integrity', `the database is damaged: ${damage}`, mend))
  } else {
    findings.push(
      ok(
        'integrity',
        isFullCheck
          ? 'every page, index and reference is in order'
          : 'its pages are in order (--full looks at indexes and references too)',
      ),
    )
  }
  if (pendingMigrations.length > 0) {
    const says = `older than this program: ${pendingMigrations.join(', ')}`
    findings.push(
      warning(
        'migrations',
        says,
        'Restart the service on this version: it makes a backup, then upgrades the database.',
      ),
    )
  } else findings.push(ok('migrations', 'of the shape of this program'))
  if (logBytes > largeLogBytes) {
    const says = `its write-ahead log has ${Math.round(logBytes / 2 ** 20)} MiB: something keeps a view of the database open`
    findings.push(warning('log', says, 'End whatever reads it, such as a backup that hangs.'))
  }
  if (lastWrittenAt !== undefined && lastWrittenAt.getTime() - now.getTime() > clockToleranceMs) {
    const says = `the clock was set back: the database was written to at ${lastWrittenAt.toISOString()}`
    findings.push(problem('clock', says, 'Set the clock right, and keep it so (NTP): tokens end by it.'))
  }
  return findings
}

export function checkMasterKey(facts: MasterKeyFacts, isDatabaseThere: boolean): readonly Finding[] {
  const { ok, warning, problem } = keys
  if (facts.kind === 'unusable')
    return [problem('master_key', facts.reason, 'Put the right key there, from where it is kept.')]
  if (facts.kind === 'missing') {
    if (!isDatabaseThere)
      return [
        warning('master_key', `there is no master key yet (${facts.path})`, 'The first start of the service makes it.'),
      ]
    const says = `the master key file ${facts.path} is missing: the service won't start, and backups are worth nothing without it`
    return [problem('master_key', says, 'Put it back from where it is kept, or name it with --master-key-file.')]
  }
  if (facts.opensDatabase === false) {
    const says = `the master key (${facts.from}) does not open the database: it was sealed under another one`
    return [problem('master_key', says, 'Put the right one there.')]
  }
  return [
    ok(
      'master_key',
      `from ${facts.from}${facts.opensDatabase ? ', and it opens the database' : ''}; keep a copy elsewhere`,
    ),
  ]
}

export function checkSigningKey(facts: SigningKeyFacts | undefined): readonly Finding[] {
  const { ok, warning, problem } = keys
  if (facts === undefined) return [ok('signing_key', 'tokens are signed with a shared secret')]
  const { path, kid, reason, isThere, isExternal, records } = facts
  const active = records.find(({ state }) => state === 'active')
  if (!isThere) {
    if (isExternal)
      return [problem('signing_key', `there is no signing key at ${path}`, 'Put it there, or leave external key mode.')]
    if (active === undefined)
      return [warning('signing_key', 'there is no signing key yet', 'The first start of the service makes it.')]
    const says = `the signing key file ${path} is missing, though ${active.kid} signs: the next start makes another, which clusters must get`
    return [problem('signing_key', says, 'Put it back from a backup (gatehouse restore).')]
  }
  if (kid === undefined)
    return [
      problem('signing_key', reason ?? `${path} can't be read`, 'Put the right key there, or set its passphrase.'),
    ]
  const record = records.find((known) => known.kid === kid)
  if (record?.state === 'retired') {
    return [
      problem(
        'signing_key',
        `the key in ${path} (${kid}) was retired and is not trusted`,
        'Put another one there, or remove the file to have one made.',
      ),
    ]
  }
  if (active !== undefined && active.kid !== kid) {
    const says = `the key in ${path} is ${kid}, the store has ${active.kid} as the one that signs`
    return [
      warning(
        'signing_key',
        says,
        'Is it the right file? The next start signs with it, and clusters must get its public half.',
      ),
    ]
  }
  const retiring = records.filter(({ state }) => state === 'retiring').length
  return [
    ok('signing_key', `${kid} signs${retiring > 0 ? `; ${retiring} older ones verify until their tokens end` : ''}`),
  ]
}
