/** `gatehouse schema access`: the JSON schema of what `gatehouse apply` takes. */
import { presentAccessSchema } from '../../http/routes/shapes/access.ts'
import type { CliContext } from '../context.ts'
import { exitCodes } from '../failures.ts'

export async function printAccessSchema(context: CliContext): Promise<number> {
  context.print(JSON.stringify(presentAccessSchema(), null, 2))
  return exitCodes.done
}
