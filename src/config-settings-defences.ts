/** The settings of what keeps strangers out: part of the table in config-settings.ts. */
import { addressRanges, boolean } from './config-kinds.ts'
import { row } from './config-setting.ts'

export const defenceSettings = {
  isLoginLimited: row({
    name: 'login_limits',
    env: 'GATEHOUSE_LOGIN_LIMITS',
    flag: 'login-limits',
    kind: boolean,
    initial: true,
    description:
      'limit failed logins for each user and address; off only for benchmarks: passwords can be guessed then',
  }),
  trustedProxies: row({
    name: 'trusted_proxies',
    env: 'GATEHOUSE_TRUSTED_PROXIES',
    flag: 'trusted-proxies',
    kind: addressRanges,
    initial: [],
    defaultNote: 'none: the address of the connection counts',
    description: "proxies whose X-Forwarded-For is believed: the client's address for login limits, logs and audit",
  }),
}
