import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll } from 'vitest'
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import { storeConformance } from './conformance.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'gatehouse-store-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
let databases = 0

storeConformance('SQLite in memory', (sealer) => openSqliteStore({ file: ':memory:', sealer }))
storeConformance('SQLite in a file', (sealer) => {
  databases += 1
  return openSqliteStore({ file: path.join(folder, `${databases}`, 'gatehouse.db'), sealer })
})
