/**
 * The data API of the stand-in: buckets and objects in memory, each call asking for the permission that AIStore's proxy
 * asks for. Made from what the `aistore` SDK 1.25.0 and 2.0.0 send, and from `ais/proxy.go` and `ais/prxclu.go`
 * (main, 5.0) for which permission goes with which call; contract sections 1.8 and 6.1.
 */
import { type Answer, done, json, parseObject, type ReadRequest, Refusal } from './aistore-answers.ts'
import { pack } from './aistore-msgpack.ts'
import type { Bit, Bucket } from './aistore-permissions.ts'

/** Throws a Refusal where the bearer may not do this. */
export type Demand = (bit: Bit, bucket?: Bucket) => Promise<void>

interface Stored {
  readonly content: Buffer
  readonly custom: Readonly<Record<string, string>>
}

interface BucketState extends Bucket {
  readonly objects: Map<string, Stored>
  readonly appending: Map<string, Buffer>
}

function textMember(of: unknown, name: string): string {
  const value = typeof of === 'object' && of !== null ? (of as Record<string, unknown>)[name] : undefined
  return typeof value === 'string' ? value : ''
}

function unknownCall(request: ReadRequest): Refusal {
  return new Refusal(400, `unknown call ${request.method} ${request.path}`)
}

export function createDataRoutes() {
  const buckets = new Map<string, BucketState>()

  function named(request: ReadRequest): Bucket {
    return { name: request.segments[2] ?? '', provider: request.query.get('provider') ?? 'ais' }
  }

  function find({ name, provider }: Bucket): BucketState {
    const bucket = buckets.get(`${provider}://${name}`)
    if (bucket === undefined) throw new Refusal(404, `bucket "${provider}://${name}" does not exist`)
    return bucket
  }

  function findObject(bucket: BucketState, name: string): Stored {
    const object = bucket.objects.get(name)
    if (object === undefined) throw new Refusal(404, `${bucket.provider}://${bucket.name}/${name} does not exist`)
    return object
  }

  function create({ name, provider }: Bucket): Answer {
    const key = `${provider}://${name}`
    if (buckets.has(key)) throw new Refusal(409, `bucket "${key}" already exists`)
    buckets.set(key, { name, provider, objects: new Map(), appending: new Map() })
    return done
  }

  function move(bucket: BucketState, request: ReadRequest): Answer {
    const name = (request.query.get('bck_to') ?? '').split('/')[2] ?? ''
    if (name === '') throw new Refusal(400, 'bck_to is missing')
    create({ name, provider: bucket.provider })
    for (const [key, object] of bucket.objects) find({ name, provider: bucket.provider }).objects.set(key, object)
    buckets.delete(`${bucket.provider}://${bucket.name}`)
    return { status: 200, body: 'mvBck01' }
  }

  function list(bucket: BucketState, prefix: string): Answer {
    const entries = [...bucket.objects]
      .filter(([name]) => name.startsWith(prefix))
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([n, { content }]) => ({ n, s: content.length }))
    const body = pack({ UUID: 'list01', ContinuationToken: '', Flags: 0, Entries: entries })
    return { status: 200, headers: { 'Content-Type': 'application/msgpack' }, body }
  }

  async function handleBuckets(request: ReadRequest, demand: Demand): Promise<Answer> {
    const bucket = named(request)
    if (request.method === 'HEAD') {
      await demand('headBucket', bucket)
      const { name, provider } = find(bucket)
      return { status: 200, headers: { 'Ais-Bucket-Props': JSON.stringify({ name, provider, versioning: {} }) } }
    }
    const body = parseObject(request)
    const action = textMember(body, 'action')
    if (request.method === 'GET' && bucket.name === '') {
      await demand('listBuckets')
      const all = [...buckets.values()].filter(({ provider }) => provider === bucket.provider)
      return json(all.map(({ name, provider }) => ({ name, provider, namespace: { uuid: '', name: '' } })))
    }
    switch (`${request.method} ${action}`) {
      case 'GET list':
        await demand('listObjects', bucket)
        return list(find(bucket), textMember(body.value, 'prefix'))
      case 'POST create-bck':
        await demand('createBucket')
        return create(bucket)
      case 'DELETE destroy-bck':
        await demand('destroyBucket')
        buckets.delete(`${find(bucket).provider}://${bucket.name}`)
        return done
      case 'POST move-bck':
        await demand('moveBucket')
        return move(find(bucket), request)
      case 'PATCH set-bprops':
        await demand('patch', bucket)
        if (textMember(body.value, 'access') !== '') await demand('setBucketAcl', bucket)
        find(bucket)
        return done
      default:
        throw unknownCall(request)
    }
  }

  function append(bucket: BucketState, name: string, request: ReadRequest): Answer {
    const handle = request.query.get('append_handle') || `append/${name}`
    const content = Buffer.concat([bucket.appending.get(handle) ?? Buffer.alloc(0), request.body])
    if (request.query.get('append_type') === 'flush') {
      bucket.appending.delete(handle)
      bucket.objects.set(name, { content, custom: {} })
      return done
    }
    bucket.appending.set(handle, content)
    return { status: 200, headers: { 'Ais-Append-Handle': handle } }
  }

  function presentObject({ content, custom }: Stored): Answer {
    const headers = {
      'Content-Type': 'application/octet-stream',
      'Content-Length': String(content.length),
      'ais-present': 'true',
      'ais-version': '1',
      'ais-custom-md': Object.entries(custom)
        .map(([name, value]) => `${name}=${value}`)
        .join(','),
    }
    return { status: 200, headers, body: content }
  }

  async function act(request: ReadRequest, demand: Demand, bucket: Bucket, name: string): Promise<Answer> {
    const body = parseObject(request)
    switch (textMember(body, 'action')) {
      case 'promote': {
        await demand('promote', bucket)
        const promoted = textMember(body.value, 'obj') || textMember(body.value, 'object_name') || 'promoted'
        find(bucket).objects.set(promoted, { content: Buffer.from(`from ${textMember(body, 'name')}`), custom: {} })
        return done
      }
      case 'rename-obj': {
        await demand('moveObject', bucket)
        const state = find(bucket)
        state.objects.set(textMember(body, 'name'), findObject(state, name))
        state.objects.delete(name)
        return done
      }
      default:
        throw unknownCall(request)
    }
  }

  async function handleObjects(request: ReadRequest, demand: Demand): Promise<Answer> {
    const bucket = named(request)
    const name = request.segments.slice(3).join('/')
    switch (request.method) {
      case 'GET':
        await demand('get', bucket)
        return presentObject(findObject(find(bucket), name))
      case 'HEAD':
        await demand('headObject', bucket)
        return { ...presentObject(findObject(find(bucket), name)), body: '' }
      case 'PUT': {
        const isAppend = request.query.has('append_type')
        await demand(isAppend ? 'append' : 'put', bucket)
        if (isAppend) return append(find(bucket), name, request)
        find(bucket).objects.set(name, { content: request.body, custom: {} })
        return done
      }
      case 'DELETE':
        await demand('deleteObject', bucket)
        findObject(find(bucket), name)
        find(bucket).objects.delete(name)
        return done
      case 'PATCH': {
        await demand('updateObject', bucket)
        const { content, custom } = findObject(find(bucket), name)
        const added = (parseObject(request).value ?? {}) as Record<string, string>
        find(bucket).objects.set(name, { content, custom: { ...custom, ...added } })
        return done
      }
      case 'POST':
        return act(request, demand, bucket, name)
      default:
        throw unknownCall(request)
    }
  }

  return { handleBuckets, handleObjects }
}
