/**
 * What `gatehouse doctor` looks at: facts come in, findings go out.
 *
 * checks/ holds the rules, which are pure; gather/ finds the facts out and changes nothing by it. How it is told is for the
 * command line.
 */

/** ok: as it should be; warning: nothing is broken, but look at it; problem: something is wrong. */
export type Level = 'ok' | 'warning' | 'problem'

export const areas = ['configuration', 'files', 'database', 'keys', 'service', 'clusters'] as const
export type Area = (typeof areas)[number]

export interface Finding {
  readonly area: Area
  /** Which check, for programs: it keeps its name. */
  readonly check: string
  readonly level: Level
  /** A sentence, or what was found. */
  readonly says: string
  /** What to do; null where there is nothing to do. */
  readonly mend: string | null
}

/** Findings of one area. */
export function findingsOf(area: Area) {
  return {
    ok: (check: string, says: string): Finding => ({ area, check, level: 'ok', says, mend: null }),
    warning: (check: string, says: string, mend: string): Finding => ({ area, check, level: 'warning', says, mend }),
    problem: (check: string, says: string, mend: string): Finding => ({ area, check, level: 'problem', says, mend }),
  }
}

export function worstOf(findings: readonly Finding[]): Level {
  if (findings.some(({ level }) => level === 'problem')) return 'problem'
  return findings.some(({ level }) => level === 'warning') ? 'warning' : 'ok'
}
