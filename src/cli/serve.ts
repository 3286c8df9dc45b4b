import { type ConfigInput, loadConfig } from '../config.ts'
import { systemClock } from '../core/clock.ts'
import { createService, type Service } from '../service.ts'
import { version } from '../version.ts'
import type { CliContext } from './context.ts'
import { prepareDataFolder } from './data-folder.ts'

/** Leaves time, of the ten seconds that ending may take, for the workers and the store. */
const drainMs = 8000

/**
 * Runs the service until the process is asked to end; then lets requests in flight finish.
 *
 * @throws ConfigError, DataFolderError, StoreOpenError, KeyFileError, CertificateError, ListenError: one line each
 */
export async function serve(input: ConfigInput, context: CliContext): Promise<void> {
  const config = loadConfig(input)
  const log = await context.openLog(config.logLevel.value)
  await prepareDataFolder(config.dataDir)
  const service = await createService({ config, clock: systemClock, log, setLogLevel: log.setLevel })
  try {
    if (service.generatedAdministrator) context.warn(presentAdministrator(service.generatedAdministrator))
    // A port that is taken is waited for; who asks for the end meanwhile is not kept waiting.
    const opened = await Promise.race([service.listen(), aborted(context.stop)])
    if (opened) {
      log.info({ event: 'service.started', version, url: opened.url, dataDir: config.dataDir })
      await aborted(context.stop)
    }
    log.info({ event: 'service.stopping' })
  } finally {
    await service.close({ drainMs })
  }
  log.info({ event: 'service.stopped' })
}

/**
 * Standard error, whether it is a terminal or not: standard output carries JSON lines that are collected and kept, and in
 * a container without a shell there is no other place where the operator could look. It comes before anything else can
 * fail, since the password is known to nobody but this line.
 */
function presentAdministrator({ name, password }: NonNullable<Service['generatedAdministrator']>): string {
  return [
    '',
    'First start: an administrator was made. The password is shown this once; change it after the first login.',
    `  name:     ${name}`,
    `  password: ${password}`,
    '',
  ].join('\n')
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve()
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
