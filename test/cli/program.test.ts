import { randomBytes } from 'node:crypto'
import { cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { version } from '../../src/version.ts'
import { buildProgram, makeConfig, makeFolder, root, run } from './program.ts'

beforeAll(buildProgram)

const secret = randomBytes(12).toString('hex')

describe('gatehouse', () => {
  test.each([[[]], [['--help']], [['help']]])('%j shows the commands and exit codes', async (args) => {
    const { code, out, err } = await run('gatehouse', args)
    expect({ code, err }).toEqual({ code: 0, err: '' })
    for (const said of ['serve', 'config', 'version', 'Exit codes:']) expect(out).toContain(said)
  })

  test.each(['version', '--version', '-V'])('%s says the version', async (arg) => {
    expect(await run('gatehouse', [arg])).toEqual({ code: 0, out: `gatehouse ${version}\n`, err: '' })
  })

  test('serve --help names each flag with its variable and default', async () => {
    const { code, out } = await run('gatehouse', ['serve', '--help'])
    expect(code).toBe(0)
    expect(out.replaceAll(/\s+/g, ' ')).toContain(
      '--port <number> the port to listen on (env: AIS_AUTHN_PORT; default: 52001)',
    )
  })

  test.each([
    [['sing'], "unknown command 'sing'"],
    [['serve', '--prot', '1'], "unknown option '--prot'"],
    [['serve', '--port'], 'argument missing'],
    [['version', 'of', 'what'], 'too many arguments'],
  ])('%j is refused with exit code 2', async (args, said) => {
    const { code, out, err } = await run('gatehouse', args)
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toContain(said)
  })

  test('is found through a link, from any folder', async () => {
    const folder = makeFolder()
    symlinkSync(join(root, 'bin/gatehouse'), join(folder, 'link'))
    symlinkSync('link', join(folder, 'link to link'))
    const { out } = await run(join(folder, 'link to link'), ['version'], { cwd: '/' })
    expect(out).toBe(`gatehouse ${version}\n`)
  })

  test('says what to do where it is not built', async () => {
    const folder = makeFolder()
    mkdirSync(join(folder, 'bin'))
    writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
    cpSync(join(root, 'bin'), join(folder, 'bin'), { recursive: true })
    for (const program of ['gatehouse', 'authn']) {
      const { code, err } = await run(join(folder, 'bin', program), ['version'])
      expect({ code, err }).toEqual({ code: 1, err: expect.stringMatching(/^.*run "npm ci" or "npm run build".*\n$/) })
    }
  })
})

describe('gatehouse config', () => {
  test('shows settings with their sources, and no secret', async () => {
    const folder = makeConfig({ auth: { expiration_time: '30m' } })
    const env = { AIS_AUTHN_SECRET_KEY: secret, AIS_AUTHN_PORT: '4000' }
    const { code, out, err } = await run('gatehouse', ['config', '--config', folder, '--log-level', '5'], { env })
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out).toMatch(/^auth\.secret +\*{8} +environment \(AIS_AUTHN_SECRET_KEY\)$/m)
    expect(out).toMatch(/^auth\.expiration_time +30m +file \(auth\.expiration_time in .*authn\.json\)$/m)
    expect(out).toMatch(/^log\.level +5 +flag \(--log-level\)$/m)
    expect(out).toMatch(/^open_reads +false +default$/m)
    expect(out).not.toContain(secret)
  })

  test('--json shows the same as JSON', async () => {
    const { out } = await run('gatehouse', ['config', '--json', '--https=no'])
    expect(JSON.parse(out)).toContainEqual({
      name: 'net.http.use_https',
      value: 'false',
      source: 'flag',
      origin: '--https',
      isSecret: false,
    })
  })

  test.each(['-config', '--config'])('%s is understood, with a space or an equals sign', async (flag) => {
    const folder = makeConfig({ log: { level: '1' } })
    for (const args of [[flag, folder], [`${flag}=${folder}`]]) {
      expect((await run('gatehouse', ['config', ...args])).out).toMatch(/^log\.level +1 +file/m)
    }
  })

  test('a wrong configuration is one line and exit code 2', async () => {
    const folder = makeConfig({ auth: { secret, rsa: {} } })
    const { code, out, err } = await run('gatehouse', ['config', '--config', folder])
    expect({ code, out, err }).toEqual({
      code: 2,
      out: '',
      err: `gatehouse: unknown member auth.rsa in ${join(folder, 'authn.json')}\n`,
    })
  })
})

describe('authn', () => {
  test.each([[[]], [['-h']], [['--help']]])('%j shows its help', async (args) => {
    const { code, out } = await run('authn', args)
    expect(code).toBe(0)
    expect(out).toContain('authn -config=<file or folder>')
  })

  test.each(['version', '-version', '--version'])('%s says the version', async (arg) => {
    expect(await run('authn', [arg])).toEqual({ code: 0, out: `gatehouse ${version}\n`, err: '' })
  })

  test.each([
    [['-port=1'], 'unknown flag: -port'],
    [['serve'], 'unknown argument: serve'],
    [['-config='], 'flag -config needs a file or folder'],
    [['-config'], 'flag -config needs a file or folder'],
  ])('%j is refused with exit code 2', async (args, said) => {
    const { code, err } = await run('authn', args)
    expect(code).toBe(2)
    expect(err).toContain(`authn: ${said}`)
  })

  test('a configuration that is not there is one line and exit code 2', async () => {
    const folder = makeFolder()
    const line = `authn: can't read the configuration file ${join(folder, 'authn.json')}: there is no such file\n`
    expect(await run('authn', [`-config=${folder}`])).toEqual({ code: 2, out: '', err: line })
    expect(await run('authn', [], { env: { AIS_AUTHN_CONF_DIR: folder } })).toEqual({ code: 2, out: '', err: line })
  })
})
