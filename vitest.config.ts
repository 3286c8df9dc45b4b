import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Every test runs the real service, key generation and password hashing included, on machines with few cores.
    testTimeout: 30_000,
    hookTimeout: 30_000,
    pool: 'forks',
  },
})
