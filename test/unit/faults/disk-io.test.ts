/** The shell texts of `disk-io`: what it refuses, that every shell can read them, and that no path can break out of its word. */
import { spawnSync } from 'node:child_process';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/core/json.ts';
import { diskIo } from '../../../src/faults/disk-io/index.ts';
import type { FaultStep } from '../../../src/plan/plan.ts';
import { planStep } from '../../support/fault-run.ts';
import { shells } from '../../support/fuse-host.ts';

function step(parameters: JsonObject): Promise<FaultStep> {
  return planStep(diskIo, { hosts: [{ id: 'web-1', home: '/' }], targets: ['web-1'], parameters: { path: '/data', ...parameters } });
}

function text(planned: FaultStep, id: string): string {
  return planned.operations.find((operation) => operation.id === `${id}-web-1`)?.text ?? '';
}

function refusals(parameters: JsonObject): readonly string[] {
  const parsed = diskIo.parameters.safeParse({ path: '/data', ...parameters });
  return parsed.error?.issues.map(({ message, path }) => `${path.join('.')}: ${message}`) ?? [];
}

describe('disk-io', () => {
  it.each(shells.filter(({ path }) => path !== undefined))('is read by $name, whatever the load', async ({ name, path = '' }) => {
    for (const load of ['read', 'write', 'both']) {
      const planned = await step({ load });
      const worker = /<<'END' \|\| exit 1\n(.*?)\nEND\n/s.exec(text(planned, 'inject'))?.[1] ?? '';
      expect(worker).toContain('through write');
      for (const script of [worker, ...planned.operations.map((operation) => operation.text)]) {
        const parsed = spawnSync(path, [...(name === 'busybox' ? ['sh'] : []), '-n'], {
          input: script.replaceAll(/@[a-z]+@/g, 'x'),
          encoding: 'utf8',
        });
        expect(`${load}: ${parsed.stderr}`).toBe(`${load}: `);
      }
    }
  });

  it.each([
    [{ path: 'data' }, 'path: expected an absolute path such as /var/lib/app'],
    [{ path: '/a\nb' }, 'path: expected an absolute path such as /var/lib/app'],
    [{ path: '/a/@run@' }, 'path: @…@ stands for a value'],
    [{ workers: 0 }, 'workers: '],
    [{ workers: 65 }, 'workers: '],
    [{ size: '128' }, 'size: expected a size such as 16MB'],
    [{ size: '512kB' }, 'size: expected a size from 1MB to 64GB'],
    [{ size: '65GB' }, 'size: expected a size from 1MB to 64GB'],
    [{ blockSize: '1kB' }, 'blockSize: expected a size from 4kB to 16MB'],
    [{ blockSize: '6kB' }, 'blockSize: expected a multiple of 4kB'],
    [{ size: '1MB', blockSize: '2MB' }, 'blockSize: expected no more than size'],
    [{ load: 'fast' }, 'load: '],
    [{ speed: 1 }, ': Unrecognized key'],
  ])('refuses %j', (parameters, message) => {
    expect(refusals(parameters).join('\n')).toContain(message);
  });

  it('keeps a path that the schema lets through in one word, whatever is in it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ minLength: 1, maxLength: 40 }), async (hostile) => {
        const path = `/${hostile}`;
        if (refusals({ path }).length > 0) return;
        const undo = text(await step({ path }), 'undo');
        const assigned = undo.split('\n').filter((line) => /^(?:name|dir)=/.test(line));
        const said = spawnSync('sh', ['-c', `${assigned.join('\n')}\nprintf '%s|%s' "$dir" "$file"`], { encoding: 'utf8' });
        const dir = path.replace(/\/+$/, '');
        expect(said.stdout).toBe(`${dir === '' ? '/' : dir}|${dir}/chaos-@run@-s1.1`);
      }),
      { numRuns: 100 },
    );
  });

  it('removes nothing but its own file', async () => {
    const undo = text(await step({ path: '/data/' }), 'undo');

    expect(undo.split('\n').filter((line) => /\brm\b/.test(line))).toEqual(['rm -f "$file"']);
  });
});
