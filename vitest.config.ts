import { defineConfig } from 'vitest/config';

// Two tiers: `fast` needs nothing but this checkout; `stack` starts the real stack (apiserver, Temporal, Envoy, …).
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'fast',
          include: ['test/**/*.test.ts'],
          exclude: ['test/e2e/**', 'test/**/*.stack.test.ts', 'node_modules/**'],
          pool: 'forks',
          testTimeout: 20_000,
        },
      },
      {
        test: {
          name: 'stack',
          include: ['test/e2e/**/*.test.ts', 'test/**/*.stack.test.ts'],
          pool: 'forks',
          fileParallelism: false,
          testTimeout: 180_000,
          hookTimeout: 1_800_000,
        },
      },
    ],
  },
});
