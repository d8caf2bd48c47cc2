/** Finds the built programs of the lab, wherever this module ended up: in `dist/`, in a chunk below it, or in `src/` during a test. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ChaosError } from '../core/errors.ts';

export type LabProgram = 'keeper' | 'checkout-service' | 'load-balancer' | 'tc';

/** Absolute path of a program's JavaScript. Throws `CHAOS_LAB` when it was never built. */
export function entryPoint(program: LabProgram): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  for (;;) {
    for (const candidate of [join(folder, 'lab', `${program}.js`), join(folder, 'dist', 'lab', `${program}.js`)]) {
      if (existsSync(candidate)) return candidate;
    }
    const above = dirname(folder);
    if (above === folder || existsSync(join(folder, 'package.json'))) break;
    folder = above;
  }
  throw new ChaosError('CHAOS_LAB', `the lab's program ${program}.js is missing`, { hint: 'build it: npm run build' });
}
