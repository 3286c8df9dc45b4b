import { logEvents } from '../../src/core/log-events.ts'
import { code, paragraphs, prose, table } from './markdown.ts'

export function presentLogEvents(): string {
  const rows = Object.entries(logEvents).sort(([a], [b]) => (a < b ? -1 : 1))
  return paragraphs(
    '# Log events',
    `The log is JSON lines on standard output: \`time\` (ISO 8601, UTC), \`level\`, \`event\`, and members of the event.
\`log.level\` of the [settings](settings.md) says from which level on. Secrets, passwords and token texts are in no line.
An \`error\` has \`name\`, \`message\`, \`stack\` and \`cause\`.`,
    table(
      ['event', 'level', 'when, and what its members say'],
      rows.map(([event, { levels, description }]) => [code(event), levels.join(', '), prose(description)]),
    ),
  )
}
