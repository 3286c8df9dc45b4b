/** The configuration is wrong or contradicts itself. The message is one line for the operator, free of secrets. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}
