/** A page to read and try the API: Swagger UI, from this server alone. */
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { etagOf } from '../conditions.ts'
import { NotFoundError } from '../errors.ts'
import { type Reply, type Route, route } from './route.ts'

const tag = 'About'
const viewer = ['swagger-ui-bundle.js', 'swagger-ui.css'] as const

/** The page's own script: what is in the page itself is not run (Content-Security-Policy). */
const startScript = `window.addEventListener('load', () => {
  window.SwaggerUIBundle({
    url: 'openapi.json',
    dom_id: '#viewer',
    deepLinking: true,
    docExpansion: 'list',
    defaultModelsExpandDepth: 0,
    displayRequestDuration: true,
    tryItOutEnabled: true,
    persistAuthorization: false,
    validatorUrl: null,
    syntaxHighlight: { activated: true, theme: 'agate' },
  })
})
`

/** Swagger UI sets styles on its elements; nothing comes from elsewhere, and no script stands in the page. */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

interface Asset {
  /** With a digest of the content, so that it can be kept for good. */
  readonly name: string
  readonly type: string
  readonly bytes: Uint8Array<ArrayBuffer>
}

/** Nothing is read before somebody asks for the page. */
export function docsRoutes(): readonly Route[] {
  let loading: Promise<readonly Asset[]> | undefined
  const load = () => {
    loading ??= loadAssets()
    return loading
  }
  return [
    route(
      {
        method: 'get',
        path: '/docs',
        permission: 'none',
        tag,
        summary: 'Read and try the API in a browser',
        conditional: 'read',
        answer: { status: 200, description: 'A page.', type: 'text/html; charset=utf-8', body: z.string() },
      },
      async () => presentPage(await load()),
    ),
    route(
      {
        method: 'get',
        path: '/docs/{file}',
        permission: 'none',
        tag,
        summary: 'Read a part of that page',
        params: z.object({ file: z.string().max(128) }),
        answer: { status: 200, description: 'A script or a style sheet.', type: '*/*', body: z.unknown() },
        refusals: [404],
      },
      async ({ params: { file } }) => {
        const asset = (await load()).find(({ name }) => name === file)
        if (asset === undefined) throw new NotFoundError(`There is no ${file} here: /api/v1/docs names what there is.`)
        const headers = { 'Content-Type': asset.type, 'Cache-Control': 'public, max-age=31536000, immutable' }
        return { body: asset.bytes, headers }
      },
    ),
  ]
}

function presentPage(assets: readonly Asset[]): Reply<string> {
  // Relative to /api/v1/, where the document is too.
  const parts = assets.map(({ name, type }) =>
    type.startsWith('text/css')
      ? `<link rel="stylesheet" href="docs/${name}">`
      : `<script src="docs/${name}" defer></script>`,
  )
  const body = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Gatehouse API</title>
<link rel="icon" href="data:,">
${parts.join('\n')}
</head>
<body>
<noscript>This page needs JavaScript. The document itself is <a href="openapi.json">openapi.json</a>.</noscript>
<div id="viewer"></div>
</body>
</html>
`
  return { body, etag: etagOf(body), headers: { 'Content-Security-Policy': policy } }
}

async function loadAssets(): Promise<readonly Asset[]> {
  const folder = findViewer()
  const files = await Promise.all(viewer.map(async (name) => makeAsset(name, await readFile(join(folder, name)))))
  return [...files, makeAsset('start.js', Buffer.from(startScript))]
}

function makeAsset(file: string, content: Buffer): Asset {
  const digest = createHash('sha256').update(content).digest('hex').slice(0, 16)
  const isStyle = file.endsWith('.css')
  return {
    name: file.replace(/\.(?=\w+$)/, `-${digest}.`),
    type: isStyle ? 'text/css; charset=utf-8' : 'text/javascript; charset=utf-8',
    bytes: new Uint8Array(content),
  }
}

/** Beside the bundle, where the build has put it; from the package where the sources run. */
function findViewer(): string {
  let root = dirname(fileURLToPath(import.meta.url))
  while (!existsSync(join(root, 'package.json')) && dirname(root) !== root) root = dirname(root)
  const built = join(root, 'dist', 'api-docs')
  return existsSync(built) ? built : join(root, 'node_modules', 'swagger-ui-dist')
}
