/** The little of Markdown that the pages of the reference need. */

export function code(text: string): string {
  return text === '' ? '' : `\`${text}\``
}

export function table(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return ''
  const line = (cells: readonly string[]) => `| ${cells.map(presentCell).join(' | ')} |`
  return [line(titles), `|${titles.map(() => '---|').join('')}`, ...rows.map(line)].join('\n')
}

/** What stands in the cell of a table, in one line; a bar in it would end it. */
function presentCell(text: string): string {
  return text.replaceAll(/\s*\n\s*/g, ' ').replaceAll('|', '\\|')
}

export function shell(text: string): string {
  return ['```sh', text, '```'].join('\n')
}

/** Parts with an empty line between them; empty parts are left out. */
export function paragraphs(...parts: readonly string[]): string {
  return parts.filter((part) => part !== '').join('\n\n')
}

/** Text that is no code, with what Markdown would take for a tag put as code. */
export function prose(text: string): string {
  return text
    .split('`')
    .map((part, index) => (index % 2 === 0 ? part.replaceAll(/<[\w-]+>/g, (placeholder) => code(placeholder)) : part))
    .join('`')
}

/** The first letter large, and a full stop, as in a sentence of its own. */
export function sentence(text: string): string {
  if (text === '') return ''
  const started = text.charAt(0).toUpperCase() + text.slice(1)
  return prose(/[.?!…)]$/.test(started) ? started : `${started}.`)
}
