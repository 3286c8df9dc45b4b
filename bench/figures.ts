/** What each figure is held against: our own target, and AIStore's AuthN on the same two cores, for orientation. */

export interface Comparison {
  readonly target?: string
  /** RS256 / HS256 where the two differ. */
  readonly authn?: string
}

export const comparisons: Readonly<Record<string, Comparison>> = {
  'logins-1': { target: '90 % of bare', authn: '21 / 23' },
  'logins-8': { target: '90 % of bare', authn: '21 / 23' },
  'logins-32': { target: '90 % of bare', authn: '21 / 23' },
  'revocations-0': { target: '>= 6000', authn: '8000 / 14000, not on disk' },
  'revocations-1': { authn: '880 / 7000' },
  'revocations-8': { target: '>= 3000', authn: '107 / 1350' },
  'revocations-8.spread': { authn: '3700 / 76' },
  'revocations-8.pushes': { target: '<= 1600', authn: '8000' },
  'revocations-32': { target: '>= 3000', authn: '28 / 350' },
  'revocations-32.spread': { authn: '8200 / 900' },
  'revocations-32.pushes': { authn: '32000' },
  'role-update-1k': { target: '< 10' },
  'role-update-10k': { target: '< 10' },
  'role-update-100k': { target: '< 10', authn: '2000 / 1500' },
  'user-get': { target: '>= 20000', authn: '11000 / 16000-23000' },
  'role-get': { authn: '26000 / 38000' },
  'roles-list': { authn: '450 / 370' },
  discovery: { authn: '38000 / 33000-46000' },
  'users-list': { target: '< 400', authn: '745 / 566' },
  'users-list.stall': { target: '<= 50' },
  registration: { authn: '6000 / 2000' },
  'start-empty': { authn: '20' },
  'start-empty.memory': { target: '< 100' },
  'start-full': { target: '< 600', authn: '450 / 330' },
  'start-full.memory': { target: '< 100', authn: '174 / 132' },
  'scale-clusters': { target: '< 1000' },
  'scale-clusters.busy': { target: '< 1000' },
  'scale-clusters.memory': { target: '< 300' },
  'scale-resync': { target: '< 3000' },
  'scale-resync.login': { target: '< 50' },
  'scale-resync.revoke': { target: '< 50' },
  'scale-resync.memory': { target: '< 300' },
}
