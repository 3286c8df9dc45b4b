import { createMetrics } from '../../src/metrics.ts'
import { code, paragraphs, sentence, table } from './markdown.ts'

export function presentMetrics(): string {
  const auditHead = { id: 0, hash: '', at: null }
  const read = async () => ({ clusters: [], logLength: 0, workers: [], auditHead })
  const metrics = createMetrics({ version: '0', read, hasProcessFigures: false }).list()
  const rows = [...metrics].sort((a, b) => (a.name < b.name ? -1 : 1))
  return paragraphs(
    '# Metrics',
    `Served as \`/metrics\` by the operations listener (\`operations.host\` and \`operations.port\` of the
[settings](settings.md)), in Prometheus's text format. What they mean for whoever looks after Gatehouse, with alert rules
and a dashboard: [operate.md](../operate/operate.md). Beside them stand the process's own figures (\`process_…\`,
\`nodejs_…\`), as the package prom-client names them.`,
    table(
      ['metric', 'type', 'labels', 'says'],
      rows.map(({ name, type, labelNames, help }) => [
        code(name),
        type,
        labelNames.map(code).join(', '),
        sentence(help),
      ]),
    ),
  )
}
