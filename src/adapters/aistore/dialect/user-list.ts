/** The list of all users (contract 1.3): an object of id to User, which may be long. */
import type { Revisions } from '../../../core/revisions.ts'
import type { RoleStore } from '../../../core/roles/role-store.ts'
import type { Users } from '../../../core/users/users.ts'
import type { Answers } from './answers.ts'
import { goJson } from './go-json.ts'
import { presentRole } from './present.ts'

export interface UserListDeps {
  readonly users: Pick<Users, 'list'>
  readonly roleStore: Pick<RoleStore, 'list'>
  readonly revisions: Revisions
  readonly answers: Answers
}

type Page = Awaited<ReturnType<Users['list']>>
/** Roles as JSON, by key. */
type RoleTexts = ReadonlyMap<number, string>

/** Users that are read and written in one go, so that others are served in between. */
const pageSize = 1000

/** Short lists as kept bytes; long ones as a stream, a page at a time. */
export function createUserList({ users, roleStore, revisions, answers }: UserListDeps) {
  let roles: { readonly revision: number; readonly texts: RoleTexts } | undefined

  async function presentedRoles(): Promise<RoleTexts> {
    const revision = revisions.directory()
    if (roles?.revision === revision) return roles.texts
    const texts = new Map((await roleStore.list()).map((role) => [role.key, goJson(presentRole(role))]))
    roles = { revision, texts }
    return texts
  }

  /** The page as members of an object. Roles are read after it, so that none that it names is missing. */
  async function presentPage(page: Page): Promise<string> {
    const texts = await presentedRoles()
    return page.map((row) => presentRow(row, texts)).join(',')
  }

  function stream(first: Page): ReadableStream {
    const encoder = new TextEncoder()
    let page = first
    let opening = '{'
    return new ReadableStream({
      async pull(controller) {
        const rows = await presentPage(page)
        const last = page.at(-1)
        const isEnd = page.length < pageSize || last === undefined
        controller.enqueue(encoder.encode(`${rows === '' ? '' : opening}${rows}${isEnd ? '}\n' : ''}`))
        opening = ','
        if (isEnd) return controller.close()
        await new Promise((resolve) => setImmediate(resolve))
        page = await users.list({ after: last.name, limit: pageSize })
      },
    })
  }

  return async (): Promise<Uint8Array<ArrayBuffer> | ReadableStream> => {
    const kept = answers.known('users')
    if (kept) return kept
    const revision = revisions.directory()
    const first = await users.list({ limit: pageSize })
    if (first.length === pageSize) return stream(first)
    return answers.keep('users', revision, `{${await presentPage(first)}}\n`)
  }
}

function presentRow({ name: id, roleKeys }: Page[number], roles: RoleTexts): string {
  const name = goJson(id)
  const held = roleKeys.map((key) => roles.get(key)).filter((text) => text !== undefined)
  return `${name}:{"id":${name},"roles":[${held.join(',')}]}`
}
