import { describe, expect, it } from 'vitest';
import { elasticsearchProbe } from '../../../../src/probes/elasticsearch/index.ts';
import { elasticCount } from '../../../support/probe-harness.ts';
import { runProbe, tally } from '../../../support/probe-run.ts';
import { httpTarget, tcpTarget } from '../../../support/probe-target.ts';

const fast = { rate: '20/s', timeout: '1s' };

/** As Elasticsearch 8 answers, shortened. */
const noIndex =
  '{"error":{"root_cause":[{"type":"index_not_found_exception"}],"type":"index_not_found_exception","reason":"no such index [secret]"},"status":404}';
const noSyntax = '{"error":{"type":"parsing_exception","reason":"a text"},"status":400}';

describe('elasticsearch probe', () => {
  it('counts what matches within its window, and refuses a pattern without an index', async () => {
    const seen = new Set<string>();
    await using target = await httpTarget((request, response) => {
      let body = '';
      request.on('data', (chunk) => {
        body += chunk;
      });
      request.on('end', () => {
        seen.add(`${request.method} ${request.url} ${request.headers['content-type']} ${body}`);
        response.end(elasticCount(17));
      });
    });
    const spec = { url: target.url, index: 'logs-*,audit', query: 'level:"ERROR"', window: '90s', timeField: 'time' };
    await using run = runProbe(elasticsearchProbe, { ...fast, ...spec });

    await run.until(2);

    const filter = [{ query_string: { query: 'level:"ERROR"' } }, { range: { time: { gt: 'now-90s', lte: 'now' } } }];
    const body = JSON.stringify({ query: { bool: { filter } } });
    expect([...seen]).toEqual([`POST /logs-*%2Caudit/_count?allow_no_indices=false&ignore_unavailable=false application/json ${body}`]);
    expect(run.samples[0]).toMatchObject({ ok: true, value: 17 });
  });

  it.each([
    [404, noIndex, 'index_not_found'],
    [400, noSyntax, 'parsing'],
    [403, '{"error":{"type":"A text"},"status":403}', 'status 403'],
    [503, 'no', 'status 503'],
  ])('names status %i %j', async (status, body, error) => {
    await using target = await httpTarget((_request, response) => response.writeHead(status).end(body));
    await using run = runProbe(elasticsearchProbe, { ...fast, url: target.url, index: 'logs', query: 'x' });

    await run.until(2);
    await run.probe.stop();

    expect(tally(run.samples)).toEqual({ [error]: run.samples.length });
  });

  it('asks once more when a kept connection was closed in the moment it was used: its POST changes nothing', async () => {
    const body = elasticCount(1);
    await using target = await tcpTarget((socket) => {
      let requests = 0;
      socket.on('data', () => {
        if (++requests > 1) socket.resetAndDestroy();
        else socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
      });
    });
    await using run = runProbe(elasticsearchProbe, { ...fast, url: target.url, index: 'logs', query: 'x' });

    await run.until(6);

    expect(tally(run.samples)).toEqual({ ok: run.samples.length });
  });

  it.each([
    { index: 'a/b', query: 'x' },
    { index: 'logs', query: '' },
    { index: 'logs', query: 'x', window: '500ms' },
    { index: 'logs', query: 'x', window: 60 },
  ])('refuses %j', (spec) => {
    expect(elasticsearchProbe.spec.safeParse({ url: 'http://logs/', ...spec }).success).toBe(false);
  });
});
