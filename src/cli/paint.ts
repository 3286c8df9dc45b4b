/** Colours, where there is a screen that shows them. */

type Painter = (text: string) => string

export interface Paint {
  readonly good: Painter
  readonly warn: Painter
  readonly bad: Painter
  readonly dim: Painter
}

const inCode = (code: number): Painter => {
  return (text) => `\u001b[${code}m${text}\u001b[0m`
}

export const paints: Paint = { good: inCode(32), warn: inCode(33), bad: inCode(31), dim: inCode(2) }

const same: Painter = (text) => text

export const plainPaint: Paint = { good: same, warn: same, bad: same, dim: same }
