export type JsonValue =
  | string
  | number
  | boolean
  | null
  | readonly JsonValue[]
  | { readonly [member: string]: JsonValue }
export type JsonObject = { readonly [member: string]: JsonValue }
