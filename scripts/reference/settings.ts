import { type AnySetting, settingRows } from '../../src/config-settings.ts'
import { code, paragraphs, prose, table } from './markdown.ts'

export function presentSettings(): string {
  const used = settingRows.map(([, setting]) => setting).filter(({ isUnused }) => !isUnused)
  const unused = settingRows.map(([, setting]) => setting).filter(({ isUnused }) => isUnused)
  return paragraphs(
    '# Settings',
    `Flag > environment > changed at run time > file > default, except that \`AIS_AUTHN_CONF_DIR\` beats \`--config\`, as in
AIStore. The file is AIStore's \`authn.json\`; a name in brackets has no member there. A variable that is set to nothing
counts as not set. What is marked *run time* can be changed while the service runs (\`ais auth set config\`) and is kept
in the database then. Durations are written as Go does (\`90s\`, \`1h30m\`), sizes as \`4MiB\`. \`gatehouse config\` shows
every setting, its value and where it came from.`,
    table(
      ['setting, member of `authn.json`', 'environment', 'flag', 'default', 'must be', 'meaning'],
      used.map(presentRow),
    ),
    '## Read for the sake of AIStore',
    'These are read, checked and shown, and change nothing.',
    table(
      ['setting', 'environment', 'must be', 'meaning'],
      unused.map((setting) => [
        presentName(setting),
        code(setting.env ?? ''),
        presentRule(setting),
        prose(setting.description),
      ]),
    ),
  )
}

function presentRow(setting: AnySetting): readonly string[] {
  const { env, flag, description, runtimeName, isSecret } = setting
  const marks = [runtimeName === undefined ? '' : ' (*run time*)', isSecret ? ' (*secret*: never shown)' : '']
  return [
    presentName(setting),
    code(env ?? ''),
    code(flag === undefined ? '' : `--${flag}`),
    presentDefault(setting),
    presentRule(setting),
    prose(description) + marks.join(''),
  ]
}

function presentName({ name, member }: AnySetting): string {
  return member === undefined ? `(${name})` : code(member)
}

function presentDefault({ initial, defaultNote, kind }: AnySetting): string {
  return defaultNote === undefined ? code(initial === undefined ? '' : kind.show(initial)) : prose(defaultNote)
}

function presentRule({ kind, check }: AnySetting): string {
  return prose(
    [kind.form === 'text' && check ? '' : kind.form, check?.rule ?? ''].filter((part) => part !== '').join('; '),
  )
}
