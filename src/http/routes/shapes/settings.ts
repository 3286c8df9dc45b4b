import { z } from 'zod'
import { Instant } from './common.ts'

const SettingBody = z
  .object({
    name: z.string().meta({ description: 'As in the configuration file' }),
    value: z
      .union([z.string(), z.int(), z.null()])
      .meta({ description: 'A secret that is set is masked; null = none' }),
    isSecret: z.boolean(),
    source: z.enum(['flag', 'environment', 'runtime', 'file', 'default']).meta({
      description: 'Where the value comes from, earlier beats later; `runtime`: it was changed while the server ran',
    }),
    isChangeable: z.boolean().meta({ description: 'false = a flag or the environment of the server decides' }),
    changedAt: Instant.nullable().meta({ description: 'When it was last changed at run time' }),
  })
  .meta({ id: 'Setting' })

export const SettingsBody = z.object({ items: z.array(SettingBody) }).meta({ id: 'Settings' })

export const SettingsPatch = z
  .strictObject({
    'auth.secret': z.string().min(1).max(4096).optional().meta({
      description: 'Tokens are signed with this secret (HS256) from then on; clusters need the same one',
    }),
    'auth.expiration_time': z
      .string()
      .min(1)
      .max(64)
      .optional()
      .meta({
        description: 'How long a token lives where the login asks for nothing else, for instance `12h`',
        examples: ['12h'],
      }),
    'log.level': z.int().min(0).max(5).optional().meta({
      description: '0 and 1: errors and warnings; 2 and 3: the usual; 4 and 5: more',
    }),
  })
  .meta({ id: 'SettingsPatch', description: 'What is absent stays as it is (RFC 7396)' })

export type SettingsBody = z.output<typeof SettingsBody>
export type SettingsPatch = z.output<typeof SettingsPatch>
