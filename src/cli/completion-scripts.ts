/** Scripts with which a shell completes the commands and flags of this program. Everything in them comes from the program's own table. */

/** A command, the commands below it, and its flags. */
export interface CommandTree {
  readonly name: string
  readonly description: string
  readonly commands: readonly CommandTree[]
  readonly flags: readonly { readonly name: string; readonly description: string; readonly takesValue: boolean }[]
}

export const shells = ['bash', 'zsh', 'fish'] as const
export type Shell = (typeof shells)[number]

export function presentCompletion(shell: Shell, tree: CommandTree): string {
  return { bash: presentBash, zsh: presentZsh, fish: presentFish }[shell](tree)
}

interface Place {
  /** The commands that lead there, for instance `cluster show`; empty for the program itself. */
  readonly path: string
  readonly tree: CommandTree
}

function placesOf(tree: CommandTree, above: readonly string[] = []): readonly Place[] {
  const below = tree.commands.flatMap((command) => placesOf(command, [...above, command.name]))
  return [{ path: above.join(' '), tree }, ...below]
}

/** Flags after which the next word is a value, whatever it looks like. */
function valueFlags(places: readonly Place[]): readonly string[] {
  const flags = places.flatMap(({ tree }) => tree.flags.filter(({ takesValue }) => takesValue))
  return [...new Set(flags.map(({ name }) => name))].sort()
}

/** Words are our own: letters, digits and dashes. */
function wordsOf({ commands, flags }: CommandTree): string {
  return [...commands.map(({ name }) => name), ...flags.map(({ name }) => name)].join(' ')
}

function presentBash(tree: CommandTree): string {
  const places = placesOf(tree)
  const { name } = tree
  const steps = places.filter(({ path }) => path !== '').map(({ path }) => `'${path}'`)
  return `# ${name} completion for bash: source <(${name} completion bash)
_${name}() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" at='' next word i words
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="\${COMP_WORDS[i]}"
    case "$word" in
      ${valueFlags(places).join(' | ')}) ((i++)); continue ;;
      -*) continue ;;
    esac
    next="\${at:+$at }$word"
    case "$next" in
      ${steps.join(' | ')}) at="$next" ;;
    esac
  done
  case "$at" in
${places.map(({ path, tree: place }) => `    '${path}') words='${wordsOf(place)}' ;;`).join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -o default -F _${name} ${name}
`
}

function presentZsh(tree: CommandTree): string {
  const places = placesOf(tree)
  const { name } = tree
  const quote = (text: string) => `'${text.replaceAll("'", "'\\''")}'`
  const entry = (word: string, description: string) => quote(`${word.replaceAll(':', '\\:')}:${description}`)
  const entries = ({ commands, flags }: CommandTree) =>
    [...commands, ...flags].map((each) => entry(each.name, each.description)).join(' ')
  const steps = places.filter(({ path }) => path !== '').map(({ path }) => `'${path}'`)
  return `#compdef ${name}
# ${name} completion for zsh: ${name} completion zsh > "\${fpath[1]}/_${name}"
_${name}() {
  local at='' next word i
  local -a found
  for ((i = 2; i < CURRENT; i++)); do
    word="\${words[i]}"
    case "$word" in
      (${valueFlags(places).join('|')}) ((i++)); continue ;;
      (-*) continue ;;
    esac
    next="\${at:+$at }$word"
    case "$next" in
      (${steps.join('|')}) at="$next" ;;
    esac
  done
  case "$at" in
${places.map(({ path, tree: place }) => `    ('${path}') found=(${entries(place)}) ;;`).join('\n')}
  esac
  _describe '${name}' found || _files
}
if [ "$funcstack[1]" = "_${name}" ]; then _${name}; else compdef _${name} ${name}; fi
`
}

function presentFish(tree: CommandTree): string {
  const places = placesOf(tree)
  const { name } = tree
  const quote = (text: string) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
  const steps = places.filter(({ path }) => path !== '').map(({ path }) => quote(path))
  const lines = places.flatMap(({ path, tree: { commands, flags } }) => {
    const condition = `-n ${quote(`__${name}_at ${quote(path)}`)}`
    return [
      ...commands.map(
        (command) => `complete -c ${name} -f ${condition} -a ${command.name} -d ${quote(command.description)}`,
      ),
      ...flags.map(
        (flag) =>
          `complete -c ${name} ${condition} -l ${flag.name.replace(/^--/, '')} ${flag.takesValue ? '-r ' : ''}-d ${quote(flag.description)}`,
      ),
    ]
  })
  return `# ${name} completion for fish: ${name} completion fish > ~/.config/fish/completions/${name}.fish
function __${name}_at
  set -l at ''
  set -l skip 0
  for word in (commandline -opc)[2..-1]
    if test $skip = 1
      set skip 0
      continue
    end
    switch $word
      case ${valueFlags(places).join(' ')}
        set skip 1
        continue
      case '-*'
        continue
    end
    set -l next (string trim "$at $word")
    contains -- $next ${steps.join(' ')}; and set at $next
  end
  test "$at" = "$argv[1]"
end
${lines.join('\n')}
`
}
