import { spawnSync } from 'node:child_process';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../src/core/json.ts';
import { chaosblade } from '../../../src/faults/chaosblade/index.ts';
import { complaints, refusals, textsOf } from '../../support/shell-texts.ts';

const create = ['cpu', 'fullload', '--cpu-percent', '60'];

describe('chaosblade', () => {
  test.each<JsonObject>([
    { create },
    { create: ['cpu', "it's", '$(id)', '`id`', '\\', '"', 'é', '*', '~'], blade: '/opt/chaosblade-1.7/blade', verify: `test "$x" = 'y'` },
  ])('with %j has texts that every shell reads', async (parameters) => {
    expect(await complaints(chaosblade, parameters)).toEqual([]);
  });

  test('gives blade every word as it is written, whatever it holds', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.string({ unit: 'binary', minLength: 1, maxLength: 20 }), { minLength: 1, maxLength: 5 }),
        async (words) => {
          const given = ['cpu', ...words];
          fc.pre(refusals(chaosblade, { create: given }).length === 0);
          const { inject = '' } = await textsOf(chaosblade, { create: given });
          const call = inject.split('\n').find((line) => line.includes("setsid '@blade@'")) ?? '';
          const command = call.replace(/^answer=\$\(setsid '@blade@' create /, '').replace(/ --uid [@a-z0-9]+ 2>&1 <\/dev\/null\)$/, '');
          const { stdout } = spawnSync('sh', ['-c', `printf '%s\\n' ${command}`], { encoding: 'utf8' });
          expect(stdout).toBe(`${given.join('\n')}\n`);
        },
      ),
      { numRuns: 100 },
    );
  });

  test('lets the author’s command stay one word, so that it cannot end early or print facts', async () => {
    const { verify = '' } = await textsOf(chaosblade, { create, verify: `true; exit 0; echo 'measure x 1'` });

    expect(verify).toContain(`sh -c 'true; exit 0; echo '\\''measure x 1'\\''' </dev/null >/dev/null 2>&1`);
  });

  test.each([
    [['cpu'], 'expected array to have >=2 items'],
    [['--help', 'x'], 'expected what is created first, such as cpu, got --help'],
    [['create', 'cpu'], 'leave out create'],
    [['k8s', 'pod-cpu'], 'acts on a cluster'],
    [['cpu', 'fullload', '--uid', 'x'], 'the runner chooses the uid'],
    [['cpu', 'fullload', '--uid=x'], 'the runner chooses the uid'],
    [['cpu', 'fullload', '--channel=ssh'], 'not another one over ssh'],
    [['cpu', 'fullload', '-a'], 'cannot be proved'],
    [['process', 'kill', '--process', 'x'], 'blade cannot undo process kill'],
    [['file', 'delete', '--filepath', '/x', '--force'], 'blade cannot undo file delete --force'],
    [['cpu', ''], 'got an empty text'],
    [['cpu', 'a\nb'], 'control characters'],
    [['cpu', '@run@'], 'cannot be used here'],
    [['cpu', 'a'.repeat(1_001)], 'at most 1000 characters'],
  ])('refuses the words %j', (words, message) => {
    expect(refusals(chaosblade, { create: words }).join()).toContain(message);
  });

  test('takes a deletion that blade can undo, and refuses a path with blanks', () => {
    expect(refusals(chaosblade, { create: ['file', 'delete', '--filepath', '/x'] })).toEqual([]);
    expect(refusals(chaosblade, { create, blade: '/opt/my blade' })).toHaveLength(1);
    expect(refusals(chaosblade, { create, blade: 'blade' })).toHaveLength(1);
  });
});
