/** `gatehouse export`: what there is, in the form that `gatehouse apply` takes. */
import { Document, isPair, isScalar, isSeq, visit } from 'yaml'
import type { ExportAnswer } from '../../http/routes/shapes/access.ts'
import type { Api } from '../api.ts'
import { type ClientOptions, connect } from '../connection.ts'
import type { CliContext } from '../context.ts'
import { exitCodes } from '../failures.ts'

type Access = ExportAnswer['access']

export async function exportAccess(options: ClientOptions, context: CliContext): Promise<number> {
  const { api, url } = await connect(options, context)
  const access = await readAll(api)
  context.print(options.json ? JSON.stringify(access, null, 2) : presentYaml(access, url))
  return exitCodes.done
}

async function readAll(api: Api): Promise<Access> {
  let page = await api.call<ExportAnswer>('GET', '/access')
  const access = { ...page.access, users: [...(page.access.users ?? [])] }
  while (page.next !== null) {
    page = await api.call<ExportAnswer>('GET', `/access?cursor=${page.next}`)
    access.users.push(...(page.access.users ?? []))
  }
  return access
}

const head = (url: string) => ` yaml-language-server: $schema=${url}/api/v1/schemas/access.json
 Clusters, roles, and users with their roles. Look at a change with gatehouse apply --dry-run -f <this file>.
 No secret is in it. A new user needs a password, by reference: password: { env: NAME } or { file: path }.`

const comments: Readonly<Record<string, string>> = {
  clusters: ' What has no entry here is left alone, unless --prune is said.',
  roles:
    ' Where a bucket has a grant, it alone decides for the bucket. The cluster "*" is every one without a grant of its own.',
  users: ' All roles of each. The built-in administrator keeps its own.',
}

/** Short lists stand on one line. */
function presentYaml(access: Access, url: string): string {
  const document = new Document(access, { version: '1.2', aliasDuplicateObjects: false })
  document.commentBefore = head(url)
  visit(document, {
    Pair(_key, { key, value }) {
      if (!isScalar(key) || !isSeq(value)) return undefined
      const comment = comments[String(key.value)]
      const isOfScalars = value.items.every((item) => isScalar(item))
      if (isOfScalars) value.flow = true
      // `roles` is a list of the document and of each user.
      if (comment !== undefined && !isOfScalars && !value.items.some((item) => isPair(item))) {
        key.commentBefore = comment
        key.spaceBefore = true
      }
      return undefined
    },
  })
  return document.toString({ lineWidth: 0, flowCollectionPadding: false }).trimEnd()
}
