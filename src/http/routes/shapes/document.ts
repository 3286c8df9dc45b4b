import { z } from 'zod'

export const Document = z.record(z.string(), z.unknown()).meta({ description: 'OpenAPI 3.1' })
