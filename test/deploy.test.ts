import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmodSync, existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'
import { readAuthnJson } from '../src/authn-json.ts'
import { exitCodes } from '../src/cli/failures.ts'
import { settingRows, settings } from '../src/config-settings.ts'
import { buildProgram, makeFolder, root, startProgram } from './cli/program.ts'
import { expectViewer } from './viewer.ts'

const read = (path: string) => readFileSync(join(root, path), 'utf8')
const variables = new Set(settingRows.map(([, { env }]) => env))
const dockerfile = read('Dockerfile')
const unit = read('deploy/systemd/gatehouse.service')

function instruction(name: string): string {
  return new RegExp(`^${name} (.*)$`, 'm').exec(dockerfile.replaceAll('\\\n', ''))?.[1] ?? ''
}

const [entry = '', configArgument = ''] = JSON.parse(instruction('ENTRYPOINT')) as string[]
const dataFolder = instruction('VOLUME')

describe('the image', () => {
  let layout: string

  beforeAll(async () => {
    await buildProgram()
    layout = makeFolder()
    const { status, stderr } = spawnSync('node', [join(root, 'scripts/image.mjs'), layout, process.execPath])
    expect(status, String(stderr)).toBe(0)
  })

  test('has the entry point, the data folder, the port and the user of AuthN', () => {
    expect(entry).toBe('/usr/local/bin/authn')
    expect(configArgument).toBe('-config=/etc/ais/authn')
    expect(dataFolder).toBe('/etc/ais/authn')
    expect(instruction('EXPOSE')).toBe(String(settings.port.initial))
    expect(instruction('USER')).toBe('65532:65532')
  })

  test('serves from its own folders, with a configuration that it may only read', async () => {
    const folder = makeFolder()
    writeFileSync(join(folder, 'authn.json'), '{}', { mode: 0o444 })
    const password = randomBytes(12).toString('hex')
    const program = join(layout, entry)
    const service = await startProgram(program, [`-config=${folder}`], { env: { AIS_AUTHN_SU_PASS: password } })
    const body = JSON.stringify({ password, expires_in: 0 })
    expect((await fetch(`${service.url}/v1/users/admin`, { method: 'POST', body })).status).toBe(200)
    await expectViewer(service.url)
    expect((await service.stop()).code).toBe(0)
    expect(readdirSync(folder).sort()).toEqual(['authn.json', 'gatehouse.db', 'gatehouse.lock', 'master.key'])
  })

  test('is built from files that .dockerignore lets through', () => {
    const allowed = [...read('.dockerignore').matchAll(/^!(.*)$/gm)].map(([, name = '']) => name)
    const maps = readdirSync(join(root, 'dist')).filter((file) => file.endsWith('.map'))
    const sources = maps.flatMap((file) => (JSON.parse(read(`dist/${file}`)) as { sources: string[] }).sources)
    const own = sources.filter((source) => !source.includes('node_modules')).map((source) => source.replace('../', ''))
    expect(own).toContain('src/main.ts')
    for (const name of [...own, 'scripts/build.mjs', 'scripts/image.mjs', 'bin/authn', 'migrations', 'LICENSE']) {
      expect(
        allowed.some((each) => name === each || name.startsWith(`${each}/`)),
        name,
      ).toBe(true)
    }
  })

  test('holds nothing but what runs', () => {
    const files = readdirSync(layout, { recursive: true, encoding: 'utf8' })
    expect(files.filter((path) => /\.(map|ts|c|h|o|a)$|\/(deps|obj|prebuild-install)\//.test(path))).toEqual([])
    const bytes = files.reduce((sum, path) => sum + lstatSync(join(layout, path)).size, 0)
    expect(bytes).toBeLessThan(12 * 1024 * 1024)
  })
})

interface EnvironmentVariable {
  readonly name: string
  readonly value?: string
}

interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string | number }
}

/** The members of manifests that are asserted. */
interface Manifest {
  readonly kind: string
  readonly metadata: { readonly name: string }
  readonly spec: {
    readonly replicas: number
    readonly strategy: { readonly type: string }
    readonly selector: { readonly matchLabels: object }
    readonly podSelector: { readonly matchLabels: object }
    readonly ports: readonly { readonly port: number; readonly targetPort: string }[]
    readonly template: {
      readonly metadata: { readonly labels: object }
      readonly spec: {
        readonly automountServiceAccountToken: boolean
        readonly securityContext: object
        readonly terminationGracePeriodSeconds: number
        readonly volumes: readonly { readonly name: string }[]
        readonly containers: readonly {
          readonly ports: readonly { readonly name: string; readonly containerPort: number }[]
          readonly env: readonly EnvironmentVariable[]
          readonly securityContext: object
          readonly startupProbe: Probe
          readonly livenessProbe: Probe
          readonly readinessProbe: Probe
          readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[]
        }[]
      }
    }
  }
}

describe('the manifests for Kubernetes', () => {
  const folder = 'deploy/kubernetes'
  const files = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
  const manifest = (file: string): Manifest => parse(read(`${folder}/base/${file}.yaml`))
  const deployment = manifest('deployment').spec
  const pod = deployment.template.spec
  const [container] = pod.containers
  const patches = files
    .filter((file) => file.endsWith('kustomization.yaml'))
    .flatMap((file) => parse(read(`${folder}/${file}`)).patches ?? []) as { readonly patch?: string }[]

  test.each(files.filter((file) => file.endsWith('.yaml')))('%s can be read, and what it names is there', (file) => {
    const documents = parseAllDocuments(read(`${folder}/${file}`))
    for (const document of documents) expect(document.errors).toEqual([])
    const { resources = [], components = [], configMapGenerator = [] } = documents[0]?.toJS() ?? {}
    const named = [
      ...resources,
      ...components,
      ...configMapGenerator.flatMap((each: { files: string[] }) => each.files),
    ]
    for (const name of named) expect(existsSync(join(root, folder, file, '..', name)), name).toBe(true)
  })

  test.each(files.filter((file) => file.endsWith('authn.json')))('%s is a configuration', (file) => {
    expect(readAuthnJson(join(root, folder, file)).members.has('net.external_url')).toBe(true)
  })

  test('one pod at a time has the data, where the image looks for them', () => {
    expect([deployment.replicas, deployment.strategy.type]).toEqual([1, 'Recreate'])
    const mounts = container?.volumeMounts.map(({ mountPath }) => mountPath)
    expect(mounts).toEqual([dataFolder, `${dataFolder}/authn.json`])
    expect(pod.volumes.map(({ name }) => name)).toEqual(container?.volumeMounts.map(({ name }) => name))
  })

  test('the pod is as the level "restricted" of pod security asks, with a root that is only read', () => {
    expect(pod.automountServiceAccountToken).toBe(false)
    expect(pod.securityContext).toMatchObject({
      runAsNonRoot: true,
      runAsUser: 65_532,
      fsGroup: 65_532,
      seccompProfile: { type: 'RuntimeDefault' },
    })
    expect(container?.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    })
  })

  test('ports, probes and selectors are those of the program and of each other', () => {
    expect(container?.ports).toEqual([
      { name: 'api', containerPort: settings.port.initial },
      { name: 'operations', containerPort: settings.operationsPort.initial },
    ])
    expect(container?.livenessProbe.httpGet).toEqual({ path: '/healthz', port: 'operations' })
    for (const probe of [container?.startupProbe, container?.readinessProbe]) {
      expect(probe?.httpGet).toEqual({ path: '/readyz', port: 'operations' })
    }
    expect(manifest('service').spec).toMatchObject({
      selector: deployment.selector.matchLabels,
      ports: [{ port: settings.port.initial, targetPort: 'api' }],
    })
    expect(deployment.template.metadata.labels).toEqual(deployment.selector.matchLabels)
    expect(manifest('networkpolicy').spec.podSelector.matchLabels).toEqual(deployment.selector.matchLabels)
  })

  test('every variable is a setting', () => {
    const added = patches.flatMap(({ patch }) => (patch === undefined ? [] : (parse(patch) as { value: unknown }[])))
    const names = added.map(({ value }) => (value as EnvironmentVariable).name).filter((name) => /^[A-Z_]+$/.test(name))
    expect(names.length).toBeGreaterThan(2)
    for (const name of [...names, ...(container?.env.map((each) => each.name) ?? [])]) expect(variables).toContain(name)
  })
})

describe('the systemd unit', () => {
  const values = (name: string) =>
    [...unit.matchAll(new RegExp(`^#? *${name}=(.*)$`, 'gm'))].map(([, value = '']) => value)

  test('every variable is a setting', () => {
    const example = [...read('deploy/systemd/gatehouse.env.example').matchAll(/^#?([A-Z_]+)=/gm)]
    const names = [...values('Environment').map((value) => value.split('=')[0]), ...example.map(([, name]) => name)]
    expect(names.length).toBeGreaterThan(5)
    for (const name of names) expect(variables).toContain(name)
  })

  test('what trying again does not mend is not tried again', () => {
    const { wrongUse, databaseTooNew, keyUnusable } = exitCodes
    expect(values('RestartPreventExitStatus')).toEqual([[wrongUse, databaseTooNew, keyUnusable].join(' ')])
  })

  const version = /systemd (\d+)/.exec(
    spawnSync('systemd-analyze', ['--version'], { encoding: 'utf8' }).stdout ?? '',
  )?.[1]

  // Earlier ones can't look at a file that isn't installed.
  test.skipIf(Number(version ?? 0) < 250)('systemd-analyze finds nothing wrong, and little exposed', () => {
    // The program that is named has to be there.
    const folder = makeFolder().replaceAll(' ', '-')
    mkdirSync(folder)
    writeFileSync(join(folder, 'gatehouse'), '#!/bin/sh\n')
    chmodSync(join(folder, 'gatehouse'), 0o755)
    const file = join(folder, 'gatehouse.service')
    writeFileSync(file, unit.replace('ExecStart=gatehouse', `ExecStart=${folder}/gatehouse`))
    const verified = spawnSync('systemd-analyze', ['verify', file], { encoding: 'utf8' })
    expect(verified.stderr + verified.stdout).toBe('')
    const rated = spawnSync('systemd-analyze', ['security', '--offline=true', '--threshold=20', file])
    expect(rated.status, String(rated.stdout)).toBe(0)
  })
})
