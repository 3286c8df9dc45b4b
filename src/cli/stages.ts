import type { CliContext } from './context.ts'

export interface Stages {
  /** @param share 0 to 1; undefined where it can't be told */
  show(progress: { readonly doing: string; readonly share?: number }): void
}

const redrawMs = 100

/** One line that tells what is going on, where there is a screen and words are wanted; else nothing. */
export function createStages(
  options: { readonly json?: true; readonly quiet?: true },
  { terminal }: Pick<CliContext, 'terminal'>,
): Stages {
  const isShown = terminal.isOutput && !options.json && !options.quiet
  let lastDoing = ''
  let drawnAt = Number.NEGATIVE_INFINITY

  return {
    show({ doing, share }) {
      const isOver = share === undefined || share >= 1
      if (!isShown || (doing === lastDoing && !isOver && performance.now() - drawnAt < redrawMs)) return
      lastDoing = doing
      drawnAt = performance.now()
      terminal.draw(`${doing}${share === undefined ? ' …' : ` ${Math.floor(share * 100)} %`}`)
    },
  }
}
