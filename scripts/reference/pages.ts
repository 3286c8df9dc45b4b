import { presentAccessSchema } from '../../src/http/routes/shapes/access.ts'
import { presentApi } from './api.ts'
import { presentCommands } from './commands.ts'
import { presentErrors } from './errors.ts'
import { presentLogEvents } from './log-events.ts'
import { presentMetrics } from './metrics.ts'
import { presentPermissions } from './permissions.ts'
import { presentSettings } from './settings.ts'

/** The reference: each file below docs/reference and what it holds, made from the code. */
export async function presentReference(): Promise<ReadonlyMap<string, string>> {
  const pages = {
    'settings.md': presentSettings(),
    'commands.md': presentCommands(),
    'api.md': await presentApi(),
    'permissions.md': presentPermissions(),
    'errors.md': presentErrors(),
    'metrics.md': presentMetrics(),
    'log-events.md': presentLogEvents(),
  }
  return new Map([
    ...Object.entries(pages).map(([name, text]) => [name, `${notice}\n\n${text}\n`] as const),
    ['access.schema.json', `${JSON.stringify(presentAccessSchema(), null, 2)}\n`],
  ])
}

const notice = '<!-- Made from the code by `npm run docs`. What is changed here by hand is lost. -->'
