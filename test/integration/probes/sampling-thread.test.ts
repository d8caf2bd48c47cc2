/** The built sampling thread, against a server in another process. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { entryPoint } from '../../../src/core/entry-point.ts';
import type { Sample } from '../../../src/probes/contract.ts';
import { httpProbe } from '../../../src/probes/http/index.ts';
import { leastLatencyOf } from '../../../src/probes/samples.ts';
import type { InvalidStretch, SamplingListener } from '../../../src/probes/sampling/contract.ts';
import { startThread } from '../../../src/probes/sampling/thread.ts';

const folder = mkdtempSync(join(tmpdir(), 'chaos-test-sampling-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const server = spawn(process.execPath, [
  '-e',
  "require('http').createServer((q, a) => setTimeout(() => a.end('ok'), 3)).listen(0, '127.0.0.1', function () { console.log(this.address().port); })",
]);
let url: string;
beforeAll(async () => {
  const [port] = (await once(server.stdout, 'data')) as [Buffer];
  url = `http://127.0.0.1:${port.toString().trim()}/`;
});
afterAll(() => server.kill());

class Heard implements SamplingListener {
  readonly taken: Sample[] = [];
  readonly stretches: InvalidStretch[] = [];
  readonly deaths: string[] = [];
  samples(_probe: string, samples: readonly Sample[]): void {
    this.taken.push(...samples);
  }
  invalid(stretch: InvalidStretch): void {
    this.stretches.push(stretch);
  }
  died(error: Error): void {
    this.deaths.push(error.message);
  }
}

const request = (rate = '50/s', runTime = 0) => ({
  runId: 'test22',
  runTime,
  databases: [],
  probes: [{ name: 'web', kind: 'http', spec: httpProbe.spec.parse({ url, rate, timeout: '500ms' }) }],
});

function block(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

describe('the sampling thread', () => {
  test('measures on while this thread stands still, and skips no slot', async () => {
    const heard = new Heard();
    await using sampling = await startThread(entryPoint('sampling-thread'), request('50/s', 7_000), heard);
    await sleep(500);
    for (let nth = 0; nth < 3; nth++) {
      block(500);
      await sleep(100);
    }
    await sampling.stop();

    const dues = heard.taken.map(({ due }) => due).toSorted((a, b) => a - b);
    const distances = dues.slice(1).map((due, index) => due - (dues[index] ?? 0));
    const slow = heard.taken.filter((sample) => leastLatencyOf(sample) > 100);
    expect(heard.taken.length).toBeGreaterThanOrEqual(100);
    expect(dues[0]).toBeGreaterThanOrEqual(7_000);
    expect(Math.max(...distances)).toBeLessThan(20.01);
    expect(slow).toEqual([]);
    expect(heard.deaths).toEqual([]);
  });

  test('hands over what is under way when it is stopped, and ends', async () => {
    const heard = new Heard();
    await using sampling = await startThread(entryPoint('sampling-thread'), request(), heard);
    await sleep(200);
    await Promise.all([sampling.stop(), sampling.stop()]);
    const count = heard.taken.length;
    await sleep(100);

    expect(count).toBeGreaterThanOrEqual(8);
    expect(heard.taken).toHaveLength(count);
    await expect(sampling.settle('web', AbortSignal.timeout(5_000))).rejects.toThrow('probe web keeps no ledger');
  });

  test('that a probe cannot start in says why', async () => {
    const unknown = { ...request(), probes: [{ name: 'web', kind: 'gopher', spec: {} }] };
    const started = startThread(entryPoint('sampling-thread'), unknown, new Heard());

    await expect(started).rejects.toMatchObject({ code: 'CHAOS_PLAN_DRIFT', message: 'this version knows no probe gopher' });
  });

  test('that breaks is told, at its start and later', async () => {
    const broken = join(folder, 'broken.cjs');
    writeFileSync(broken, "throw new Error('no such luck');");
    const dying = join(folder, 'dying.cjs');
    writeFileSync(
      dying,
      "require('worker_threads').parentPort.postMessage({ type: 'started', ledgers: [] }); setTimeout(() => process.exit(3), 50);",
    );
    const heard = new Heard();

    await expect(startThread(broken, request(), heard)).rejects.toThrow('the sampling thread broke');
    await using sampling = await startThread(dying, request(), heard);
    await sleep(500);

    expect(heard.deaths).toEqual(['the sampling thread ended']);
    await sampling.stop();
    await expect(sampling.settle('web', AbortSignal.timeout(5_000))).rejects.toThrow('the sampling thread ended');
  });
});
