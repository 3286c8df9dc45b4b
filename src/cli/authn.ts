/** The command line of AIStore's AuthN server, in Go's way of writing flags (contract section 4.2). */

export type AuthnCommand =
  | { readonly does: 'serve'; readonly config: string | undefined }
  | { readonly does: 'version' }
  | { readonly does: 'help' }
  | { readonly does: 'refuse'; readonly reason: string }

export const authnHelp = `authn: AIStore's AuthN server, played by Gatehouse

Usage:
  authn -config=<file or folder>   serve with this configuration (a folder holds authn.json)
  authn version                    print the version

AIS_AUTHN_CONF_DIR names the file or folder too, and beats -config.
See "gatehouse serve --help" for what else can be set.`

/** Reads the arguments. `isConfigNamed` tells whether the environment names a configuration. */
export function parseAuthnArguments(args: readonly string[], isConfigNamed: boolean): AuthnCommand {
  if (args.length === 0 && !isConfigNamed) return { does: 'help' }
  let config: string | undefined
  for (let at = 0; at < args.length; at += 1) {
    const arg = args[at] ?? ''
    const flag = /^--?([^-=][^=]*)(?:=(.*))?$/s.exec(arg)
    if (!flag) return arg === 'version' ? { does: 'version' } : { does: 'refuse', reason: `unknown argument: ${arg}` }
    const [, name = '', value] = flag
    if (name === 'version') return { does: 'version' }
    if (name === 'h' || name === 'help') return { does: 'help' }
    if (name !== 'config') return { does: 'refuse', reason: `unknown flag: -${name}` }
    config = value ?? args[++at]
    if (config === undefined || config === '') return { does: 'refuse', reason: 'flag -config needs a file or folder' }
  }
  return { does: 'serve', config }
}
