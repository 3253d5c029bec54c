import { defineConfig } from 'vitest/config';

// Six tiers: `fast` needs nothing but this checkout; `chaos` plays random schedules in virtual time, for minutes; `stack` starts parts of the real stack (apiserver, Temporal, Envoy, …) one file after
// the other; `e2e` starts all of it, and tells every story; `real` tells stories on real Cilium nodes, as root; `image` builds the production
// image and runs it, as root on Debian.
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'fast',
          maxWorkers: 2,
          include: ['test/**/*.test.ts'],
          exclude: ['test/e2e/**', 'test/real/**', 'test/image/**', 'test/chaos/**', 'test/**/*.stack.test.ts', 'node_modules/**'],
          pool: 'forks',
          // Only for what hangs: a machine with other work takes ten times as long as a quiet one.
          testTimeout: 60_000,
          expect: { poll: { timeout: 20_000 } },
        },
      },
      {
        test: {
          name: 'chaos',
          include: ['test/chaos/**/*.test.ts'],
          pool: 'forks',
          maxWorkers: 2,
        },
      },
      {
        test: {
          name: 'stack',
          include: ['test/**/*.stack.test.ts'],
          pool: 'forks',
          fileParallelism: false,
          testTimeout: 180_000,
          expect: { poll: { timeout: 20_000 } },
          hookTimeout: 1_800_000,
        },
      },
      {
        test: {
          name: 'image',
          include: ['test/image/**/*.test.ts'],
          pool: 'forks',
          testTimeout: 180_000,
          // A base of Debian packages, then the packages of npm: minutes on a machine that is busy.
          hookTimeout: 1_200_000,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          pool: 'forks',
          // A story waits more than it computes: two stacks take little more than one of two cores.
          maxWorkers: 2,
          testTimeout: 180_000,
          hookTimeout: 1_800_000,
        },
      },
      {
        test: {
          name: 'real',
          include: ['test/real/**/*.test.ts'],
          pool: 'forks',
          fileParallelism: false,
          // The first story waits for the nodes as well.
          testTimeout: 300_000,
        },
      },
    ],
  },
});
