import { describe, expect, it } from 'vitest';
import { prometheusProbe } from '../../../../src/probes/prometheus/index.ts';
import { vector } from '../../../support/probe-harness.ts';
import { runProbe, tally } from '../../../support/probe-run.ts';
import { httpTarget } from '../../../support/probe-target.ts';

const fast = { rate: '50/s', timeout: '1s' };

describe('prometheus probe', () => {
  it('asks with its query, its own time limit, its token and the path of the server', async () => {
    const seen = new Set<string>();
    await using target = await httpTarget((request, response) => {
      seen.add(`${request.method} ${request.url} ${request.headers.authorization}`);
      response.end(vector('0.25'));
    });
    await using run = runProbe(prometheusProbe, { ...fast, url: `${target.url}prom/`, query: 'up{job="a b"} > 0', bearer: 't' });

    await run.until(2);

    expect([...seen]).toEqual(['GET /prom/api/v1/query?query=up%7Bjob%3D%22a+b%22%7D+%3E+0&timeout=1 Bearer t']);
    expect(run.samples.map(({ ok, value }) => ({ ok, value }))).toContainEqual({ ok: true, value: 0.25 });
  });

  it.each([
    ['one', ['3'], 3],
    ['one', ['1', '2'], 'several series'],
    ['one', [], 'empty result'],
    ['sum', ['1', '2', '4.5'], 7.5],
    ['sum', [], 'empty result'],
    ['max', ['-1', '-7'], -1],
    ['min', ['1', '-7'], -7],
    ['avg', ['1', '2'], 1.5],
    ['max', ['1', 'NaN'], 'not a number'],
    [{ 'any-above': 1.5 }, ['1', '2'], 1],
    [{ 'any-above': 2 }, ['1', '2'], 0],
    [{ 'any-above': 2 }, [], 'empty result'],
  ])('with series %j takes %j for %j', async (series, values, expected) => {
    await using target = await httpTarget((_request, response) => response.end(vector(...values)));
    await using run = runProbe(prometheusProbe, { ...fast, url: target.url, query: 'up', series });

    await run.until(1);

    const [sample] = run.samples;
    expect(sample?.value ?? sample?.error).toBe(expected);
    expect(sample?.ok).toBe(typeof expected === 'number');
  });

  it.each([
    [400, '{"status":"error","errorType":"bad_data","error":"a text with a password"}', 'query bad_data'],
    [503, '{"status":"error","errorType":"timeout"}', 'query timeout'],
    [401, 'Unauthorized', 'status 401'],
    [400, '{"status":"error","errorType":"A text with a password"}', 'status 400'],
  ])('names status %i %j', async (status, body, error) => {
    await using target = await httpTarget((_request, response) => response.writeHead(status).end(body));
    await using run = runProbe(prometheusProbe, { ...fast, url: target.url, query: 'up' });

    await run.until(2);
    await run.probe.stop();

    expect(tally(run.samples)).toEqual({ [error]: run.samples.length });
  });

  it.each([
    ['20', { ok: 2 }],
    ['61', { stale: 2 }],
    ['NaN', { 'not a number': 2 }],
  ])('with a maxAge of 1m and series %s s old is %j', async (age, expected) => {
    await using target = await httpTarget((request, response) => response.end(vector(request.url?.includes('timestamp') ? age : '5')));
    await using run = runProbe(prometheusProbe, { ...fast, url: target.url, query: 'up{job="shop"}', maxAge: '1m' });

    await run.until(2);

    expect(tally(run.samples.slice(0, 2))).toEqual(expected);
  });

  it.each(['up', ' shop:orders:rate1m ', '{job="a"}', 'up{path=~"a{2}|}",x!=\'"\'}'])('takes a maxAge of %j', (query) => {
    expect(prometheusProbe.spec.safeParse({ url: 'http://prom/', query, maxAge: '1m' }).success).toBe(true);
  });

  it.each([
    { query: 'sum(up)', maxAge: '1m' },
    { query: 'up offset 5m', maxAge: '1m' },
    { query: 'up[1m]', maxAge: '1m' },
    { query: '', maxAge: '1m' },
    { query: 'up', maxAge: '0s' },
    { query: 'up', series: 'any-above' },
    { query: 'up', series: { 'any-above': '5' } },
    { query: 'up', series: 'first' },
    { query: 'up', tls: {} },
  ])('refuses %j', (spec) => {
    expect(prometheusProbe.spec.safeParse({ url: 'http://prom/', ...spec }).success).toBe(false);
  });
});
