/** Finds the built programs beside this one, wherever this module ended up: in `dist/`, in a chunk below it, or in `src/` during a test. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ChaosError } from './errors.ts';

export type LabProgram = 'lab/keeper' | 'lab/checkout-service' | 'lab/load-balancer' | 'lab/tc';

/** Absolute path of a program's JavaScript. Throws `CHAOS_INTERNAL` when it was never built. */
export function entryPoint(program: LabProgram | 'sampling-thread'): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  for (;;) {
    for (const candidate of [join(folder, `${program}.js`), join(folder, 'dist', `${program}.js`)]) {
      if (existsSync(candidate)) return candidate;
    }
    const above = dirname(folder);
    if (above === folder || existsSync(join(folder, 'package.json'))) break;
    folder = above;
  }
  throw new ChaosError('CHAOS_INTERNAL', `the program ${program}.js is missing`, { hint: 'build it: npm run build' });
}
