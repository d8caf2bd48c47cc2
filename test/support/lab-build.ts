/** Builds the lab as it is shipped (JavaScript programs beside the library) into a folder of its own, so that tests never share a `dist`. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'rolldown';

export interface BuiltLab extends AsyncDisposable {
  /** Folder with `lab/keeper.js` and the others. */
  readonly folder: string;
  readonly lab: typeof import('../../src/lab/lab.ts');
  readonly start: typeof import('../../src/lab/start.ts');
  readonly stop: typeof import('../../src/lab/stop.ts');
  readonly status: typeof import('../../src/lab/status.ts');
}

const library = ['lab', 'start', 'stop', 'status'] as const;
const programs = ['keeper', 'checkout-service', 'load-balancer'];

/** Inside the project: the programs look up `pg` and `ssh2` from where they are. */
export async function buildLab(): Promise<BuiltLab> {
  const cache = join(import.meta.dirname, '..', '..', 'node_modules', '.cache');
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, 'chaos-lab-test-'));
  await build({
    cwd: join(import.meta.dirname, '..', '..'),
    input: {
      ...Object.fromEntries([...library, ...programs].map((name) => [`lab/${name}`, `src/lab/${name}.ts`])),
      'lab/tc': 'src/lab/network/tc.ts',
    },
    platform: 'node',
    external: ['ssh2', 'pg', 'zod'],
    output: { dir: folder, format: 'esm', entryFileNames: '[name].js', chunkFileNames: 'chunks/[name]-[hash].js' },
    logLevel: 'warn',
  });
  // mkdtemp makes it private; the lab's unprivileged account has to read the programs.
  chmodSync(folder, 0o755);
  const load = async <T>(name: (typeof library)[number]): Promise<T> =>
    (await import(pathToFileURL(join(folder, 'lab', `${name}.js`)).href)) as T;
  return {
    folder,
    lab: await load('lab'),
    start: await load('start'),
    stop: await load('stop'),
    status: await load('status'),
    [Symbol.asyncDispose]: async () => rmSync(folder, { recursive: true, force: true }),
  };
}
