import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    // Most of the suite waits for real servers, so a worker more than there are spare cores costs nothing.
    maxWorkers: 3,
    // Real servers on a shared machine pause now and then; what fails twice is broken. Vitest names every test that needed its second try.
    retry: 1,
    projects: [
      {
        extends: true,
        test: {
          name: 'default',
          include: ['test/{unit,contract,integration}/**/*.test.ts'],
          testTimeout: 20_000,
          hookTimeout: 30_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          // Real labs on two cores: side by side they would measure each other.
          fileParallelism: false,
          maxConcurrency: 3,
          testTimeout: 180_000,
          // More than a lab may take to come up, so that its own words about a failure are seen.
          hookTimeout: 90_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'bench',
          include: ['test/bench/**/*.test.ts'],
          fileParallelism: false,
        },
      },
      {
        extends: true,
        test: {
          name: 'system',
          include: ['test/system/**/*.test.ts'],
          globalSetup: 'test/system/table.ts',
          // Each file starts hosts of its own; more than two would wait for the cores.
          maxWorkers: 2,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
