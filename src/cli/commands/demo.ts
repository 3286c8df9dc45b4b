/** `gatehouse demo`: the main job, shown on the real program and two stand-in clusters. */
import { existsSync } from 'node:fs'
import { UsageError } from '../client-errors.ts'

/**
 * Runs the demonstration, which lies beside this program once it is built. Answers its exit code.
 * @throws UsageError where it is not there
 */
export async function runDemo(): Promise<number> {
  const program = new URL('./demo.js', import.meta.url)
  if (!existsSync(program)) throw new UsageError('the demonstration is not built: npm run build, or npm run demo')
  await import(program.href)
  return Number(process.exitCode ?? 0)
}
