/**
 * The stand-in cluster as a process of its own, for tests in other languages, the demo and the benchmark.
 *
 *   tsx test/stand-ins/aistore-server.ts --secret-env NAME [--port 0] [--version 5.0] …
 *
 * Trust is one of --secret-env NAME (the shared secret is in that variable), --key-file FILE (a public key as PEM) and
 * --issuer URL. Prints {"url","urls","uuid"} as one line when it is up, and ends at SIGTERM or SIGINT with status 0.
 */
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { type AistoreVersion, startAistoreCluster, type Trust } from './aistore.ts'

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '0' },
    version: { type: 'string', default: '5.0' },
    uuid: { type: 'string' },
    proxies: { type: 'string', default: '1' },
    'secret-env': { type: 'string' },
    'key-file': { type: 'string' },
    issuer: { type: 'string' },
    'no-client-auth': { type: 'boolean', default: false },
    'required-audience': { type: 'boolean', default: false },
  },
})

function readTrust(): Trust {
  if (values['secret-env'] !== undefined) {
    const secret = process.env[values['secret-env']]
    if (secret === undefined || secret === '') throw new Error(`${values['secret-env']} is not set`)
    return { kind: 'shared_secret', secret }
  }
  if (values['key-file'] !== undefined) return { kind: 'static_key', pem: readFileSync(values['key-file'], 'utf8') }
  if (values.issuer !== undefined) return { kind: 'discovery', issuer: values.issuer }
  throw new Error('one of --secret-env, --key-file and --issuer is needed')
}

function readVersion(text: string): AistoreVersion {
  if (text === '4.1' || text === '4.3' || text === '5.0') return text
  throw new Error(`--version ${text}: 4.1, 4.3 or 5.0`)
}

const cluster = await startAistoreCluster({
  version: readVersion(values.version),
  trust: readTrust(),
  clientAuth: !values['no-client-auth'],
  requiredAudience: values['required-audience'],
  proxies: Number(values.proxies),
  ports: [Number(values.port)],
  ...(values.uuid === undefined ? {} : { uuid: values.uuid }),
})
process.stdout.write(`${JSON.stringify({ url: cluster.url, urls: cluster.urls, uuid: cluster.uuid })}\n`)

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    cluster.stop().then(
      () => process.exit(0),
      () => process.exit(1),
    )
  })
}
