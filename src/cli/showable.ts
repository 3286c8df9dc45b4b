const colours = ['0', '2', '31', '32', '33'].map((code) => `\u001b[${code}m`)
const allowed: ReadonlySet<string> = new Set(['\n', '\t', ...colours])

/**
 * Text for a screen. Names, descriptions and reasons come from anybody, and must not move the cursor, hide lines or write
 * into the clipboard of whoever looks at them: but for line breaks and our own colours, what controls a terminal or the
 * direction of text is replaced. JSON is for programs, and stays as it is.
 */
export function showable(text: string): string {
  return text.replaceAll(/\p{Cc}(?:\[\d{1,2}m)?|\p{Bidi_Control}/gu, (found) =>
    allowed.has(found) ? found : `\ufffd${found.slice(1)}`,
  )
}
