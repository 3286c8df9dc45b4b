/** `gatehouse doctor`. */
import { systemClock } from '../../core/clock.ts'
import { examine } from '../../doctor/examine.ts'
import { areas, type Finding, type Level, worstOf } from '../../doctor/finding.ts'
import type { CliContext } from '../context.ts'
import { exitCodes } from '../failures.ts'
import { createOutput, type Output } from '../output.ts'
import type { LocalOptions } from './backup.ts'

export interface DoctorOptions extends LocalOptions {
  readonly full?: true
  readonly offline?: true
}

const exitCodeOf: Readonly<Record<Level, number>> = {
  ok: exitCodes.done,
  warning: exitCodes.doctorWarns,
  problem: exitCodes.doctorObjects,
}

/** Answers the exit code of the worst that was found. @throws ConfigError */
export async function doctor(options: DoctorOptions, context: CliContext): Promise<number> {
  const output = await createOutput(options, context)
  const { settings, findings } = await examine({
    input: options,
    isFull: options.full === true,
    isOffline: options.offline === true,
    clock: systemClock,
    signal: context.stop,
  })
  const worst = worstOf(findings)
  output.tell({
    json: { worst, findings, settings },
    words: () => present(findings, output),
    quiet: findings.filter(({ level }) => level !== 'ok').map(({ area, level, says }) => `${level}: ${area}: ${says}`),
  })
  return exitCodeOf[worst]
}

function present(findings: readonly Finding[], { paint }: Pick<Output, 'paint'>): string {
  const marks = { ok: paint.good('ok     '), warning: paint.warn('warning'), problem: paint.bad('problem') }
  const lines = areas.flatMap((area) => {
    const found = findings.filter((finding) => finding.area === area)
    if (found.length === 0) return []
    const told = found.flatMap(({ level, says, mend }) => [
      `  ${marks[level]}  ${says}`,
      ...(mend === null ? [] : [paint.dim(`           ${mend}`)]),
    ])
    return [`${area[0]?.toUpperCase()}${area.slice(1)}`, ...told, '']
  })
  return [...lines, summarize(findings)].join('\n')
}

function summarize(findings: readonly Finding[]): string {
  const count = (level: Level) => findings.filter((finding) => finding.level === level).length
  const counted = (number: number, word: string) => `${number} ${word}${number === 1 ? '' : 's'}`
  return `${counted(count('problem'), 'problem')}, ${counted(count('warning'), 'warning')}, ${count('ok')} ok.`
}
