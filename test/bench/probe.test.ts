/**
 * Does the probe measure what a user would see? A server with a set latency and pauses of 100 ms and 2 s, asked 200 times a second by the
 * sampling thread, by vegeta (a load generator with an open loop, where it is installed) and by a naive closed loop, one after the other.
 */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { Agent, get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { CleanupStack } from '../../src/core/cleanup-stack.ts';
import { entryPoint } from '../../src/core/entry-point.ts';
import type { Sample } from '../../src/probes/contract.ts';
import { httpProbe } from '../../src/probes/http/index.ts';
import { isDoubtful, latencyOf } from '../../src/probes/samples.ts';
import { sharedMs } from '../../src/probes/sampling/protocol.ts';
import { startThread } from '../../src/probes/sampling/thread.ts';
import { nearestRank } from '../../src/slo/measures.ts';

const run = promisify(execFile);
const rate = 200;
const seconds = 60;
const thousandths = [500, 900, 990, 999];
/** Of the truth, or in ms, whichever is more. */
const tolerance = { share: 0.02, ms: 1 };

async function startServer(cleanup: CleanupStack): Promise<string> {
  const server = spawn(process.execPath, ['test/bench/paused-server.mjs']);
  cleanup.defer(() => server.kill());
  const [port] = (await once(server.stdout, 'data')) as [Buffer];
  return `http://127.0.0.1:${port.toString().trim()}`;
}

async function logOf(url: string): Promise<number[]> {
  return (await (await fetch(`${url}/log`)).json()) as number[];
}

async function byProbe(url: string): Promise<{ readonly truth: number[]; readonly seen: number[]; readonly left: number }> {
  const samples: Sample[] = [];
  const spec = httpProbe.spec.parse({ url: `${url}/`, rate: `${rate}/s`, timeout: '5s' });
  const request = { runId: 'bench2', runTime: sharedMs(), databases: [], probes: [{ name: 'web', kind: 'http', spec }] };
  const listener = {
    samples: (_probe: string, more: readonly Sample[]) => void samples.push(...more),
    invalid: () => undefined,
    died: console.error,
  };
  await using sampling = await startThread(entryPoint('sampling-thread'), request, listener);
  await sleep(seconds * 1_000);
  await sampling.stop();
  const written = await logOf(url);
  // Requests arrive in the order they were due: each has a connection of its own while others wait.
  const known = samples
    .toSorted((a, b) => a.due - b.due)
    .map((sample, index) => ({ sample, truth: (written[index] ?? Number.NaN) - sample.due }));
  // What the prober itself sent late the server answered late: no truth about the server.
  const kept = known.filter(({ sample }) => !isDoubtful(sample));
  return {
    truth: kept.map(({ truth }) => truth),
    seen: kept.map(({ sample }) => latencyOf(sample)),
    left: samples.length - kept.length,
  };
}

async function byClosedLoop(url: string): Promise<number[]> {
  const agent = new Agent({ keepAlive: true });
  const seen: number[] = [];
  for (const until = sharedMs() + seconds * 1_000; sharedMs() < until; ) {
    const from = sharedMs();
    await new Promise<void>((resolve) => get(url, { agent }, (answer) => answer.resume().once('end', resolve)));
    seen.push(sharedMs() - from);
    await sleep(Math.max(0, 1_000 / rate - (sharedMs() - from)));
  }
  agent.destroy();
  await logOf(url);
  return seen;
}

async function byVegeta(url: string): Promise<number[] | undefined> {
  const attack = `echo "GET ${url}/" | vegeta attack -rate=${rate} -duration=${seconds}s -timeout=5s | vegeta encode -to csv`;
  const csv = await run('bash', ['-c', attack], { maxBuffer: 2 ** 27 }).catch(() => undefined);
  await logOf(url);
  if (csv === undefined) return undefined;
  return csv.stdout
    .trim()
    .split('\n')
    .map((line) => Number(line.split(',')[2]) / 1e6);
}

test('sees what a user would, within 2 % or 1 ms', { timeout: 400_000 }, async () => {
  await using cleanup = new CleanupStack();
  const url = await startServer(cleanup);
  const { truth, seen, left } = await byProbe(url);
  const vegeta = await byVegeta(url);
  const closed = await byClosedLoop(url);

  const of = (values: readonly number[], rank: number): number =>
    nearestRank(
      values.toSorted((a, b) => a - b),
      rank,
    );
  const ms = (value: number): string => value.toFixed(2);
  console.log(`${truth.length} samples, ${left} left out`);
  console.table(
    thousandths.map((rank) => ({
      quantile: `p${rank / 10}`,
      'truth, ms': ms(of(truth, rank)),
      'chaos, ms': ms(of(seen, rank)),
      'vegeta, ms': vegeta === undefined ? 'not installed' : ms(of(vegeta, rank)),
      'closed loop, ms': ms(of(closed, rank)),
    })),
  );
  for (const rank of thousandths) {
    const right = of(truth, rank);
    expect(Math.abs(of(seen, rank) - right)).toBeLessThan(Math.max(tolerance.ms, right * tolerance.share));
  }
});
