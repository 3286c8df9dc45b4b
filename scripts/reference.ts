/** Writes docs/reference anew from the code. */
import { mkdir, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { presentReference } from './reference/pages.ts'

const folder = fileURLToPath(new URL('../docs/reference/', import.meta.url))
const pages = await presentReference()
await mkdir(folder, { recursive: true })
await Promise.all([...pages].map(([name, text]) => writeFile(folder + name, text)))
process.stdout.write(`docs/reference: ${[...pages.keys()].join(', ')}\n`)
