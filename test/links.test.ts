import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'

const root = new URL('..', import.meta.url).pathname

describe('links between documents lead somewhere', () => {
  const documents = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md']
    .concat(readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' }).map((file) => join('docs', file)))
    .filter((file) => file.endsWith('.md'))
  const read = (file: string) => readFileSync(join(root, file), 'utf8')

  /** As GitHub makes them of headings. */
  function anchorsOf(text: string): ReadonlySet<string> {
    const headings = [...text.replaceAll(/^```[\s\S]*?^```/gm, '').matchAll(/^#+ (.*)$/gm)].map(
      ([, heading = '']) => heading,
    )
    return new Set(
      headings.map((each) =>
        each
          .toLowerCase()
          .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
          .replaceAll(' ', '-'),
      ),
    )
  }

  test.each(documents)('%s', (file) => {
    const targets = [...read(file).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target)
    for (const target of targets.filter((each) => !/^[a-z]+:/.test(each))) {
      const [path = '', anchor] = target.split('#')
      const url = path === '' ? join(root, file) : join(root, file, '..', path)
      const there = readdirSync(join(url, '..')).includes(url.replace(/\/$/, '').split('/').at(-1) ?? '')
      expect(there, `${file} points to ${target}`).toBe(true)
      if (anchor !== undefined)
        expect(anchorsOf(readFileSync(url, 'utf8')), `${file} points to ${target}`).toContain(anchor)
    }
  })
})
