import { describe, expect, it } from 'vitest';
import { httpProbe } from '../../../../src/probes/http/index.ts';
import { runProbe, sleep, tally } from '../../../support/probe-run.ts';
import { closedPort, httpTarget, tcpTarget } from '../../../support/probe-target.ts';

const fast = { rate: '100/s', timeout: '300ms' };

describe('http probe', () => {
  it('sends what the spec says and takes an expected status for ok', async () => {
    const seen: string[] = [];
    await using target = await httpTarget((request, response) => {
      let body = '';
      request.on('data', (chunk) => {
        body += chunk;
      });
      request.on('end', () => {
        seen.push(`${request.method} ${request.headers['x-test']} ${request.headers['content-length']} ${body}`);
        response.writeHead(201).end('{}');
      });
    });
    await using run = runProbe(httpProbe, {
      ...fast,
      url: target.url,
      method: 'POST',
      headers: { 'x-test': 'yes' },
      body: 'ü',
      expectStatus: 201,
    });

    await run.until(3);

    expect(seen[0]).toBe('POST yes 2 ü');
    expect(tally(run.samples)).toEqual({ ok: run.samples.length });
    expect(run.samples.every(({ due, sent, end }) => due <= sent && sent < end)).toBe(true);
  });

  it.each([
    [502, 'status 502'],
    [404, 'status 404'],
    [302, 'ok'],
  ])('names status %i %j and follows no redirect', async (status, expected) => {
    await using target = await httpTarget((_request, response) => response.writeHead(status, { location: '/elsewhere' }).end());
    await using run = runProbe(httpProbe, { ...fast, url: target.url });

    await run.until(3);
    await run.probe.stop();

    expect(tally(run.samples)).toEqual({ [expected]: run.samples.length });
  });

  it('uses a connection again, and a new one each time when told to', async () => {
    await using target = await httpTarget((_request, response) => response.end('x'));
    await using kept = runProbe(httpProbe, { ...fast, url: target.url });
    await kept.until(40);
    await kept.probe.stop();
    const before = target.connections();
    await using fresh = runProbe(httpProbe, { ...fast, url: target.url, connection: 'new' });
    await fresh.until(10);
    await fresh.probe.stop();

    expect(before).toBeLessThan(kept.samples.length);
    expect(target.connections() - before).toBe(fresh.samples.length);
  });

  it('names a refused connection, and comes back with the target', async () => {
    const port = await closedPort();
    await using run = runProbe(httpProbe, { ...fast, url: `http://127.0.0.1:${port}/` });
    await run.until(3);

    await using _target = await httpTarget((_request, response) => response.end(), port);
    await sleep(150);
    await run.probe.stop();

    expect(run.samples[0]?.error).toBe('ECONNREFUSED');
    expect(run.samples.at(-1)?.ok).toBe(true);
  });

  it('names a body that breaks off a reset', async () => {
    await using target = await tcpTarget((socket) => {
      socket.once('data', () => {
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nabc');
        setTimeout(() => socket.resetAndDestroy(), 10);
      });
    });
    await using run = runProbe(httpProbe, { ...fast, url: target.url });

    await run.until(3);

    expect(tally(run.samples)).toEqual({ reset: run.samples.length });
  });

  it('counts a body that never ends as a timeout, and an endless one only up to a mebibyte', async () => {
    await using hanging = await httpTarget((_request, response) => response.write('some'));
    await using endless = await httpTarget((_request, response) => {
      const more = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(64 * 1024)));
      };
      response.on('drain', more);
      more();
    });
    await using slow = runProbe(httpProbe, { url: hanging.url, rate: '20/s', timeout: '200ms' });
    await using large = runProbe(httpProbe, { url: endless.url, rate: '20/s', timeout: '1s' });

    await Promise.all([slow.until(2), large.until(3)]);

    expect(tally(slow.samples)).toEqual({ timeout: slow.samples.length });
    expect(slow.samples.every(({ sent, end }) => Math.abs(end - sent - 200) < 0.01)).toBe(true);
    expect(tally(large.samples)).toEqual({ ok: large.samples.length });
  });

  it('tries once more when a kept connection was closed in the moment it was used', async () => {
    // Each connection answers one request properly, keep-alive and all, and resets on the second.
    await using target = await tcpTarget((socket) => {
      let requests = 0;
      socket.on('data', () => {
        if (++requests > 1) socket.resetAndDestroy();
        else socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
      });
    });
    await using reads = runProbe(httpProbe, { ...fast, rate: '20/s', url: target.url });
    await using writes = runProbe(httpProbe, { ...fast, rate: '20/s', url: target.url, method: 'POST' });

    await Promise.all([reads.until(6), writes.until(6)]);

    expect(tally(reads.samples)).toEqual({ ok: reads.samples.length });
    expect(tally(writes.samples).reset).toBeGreaterThan(0);
  });

  it.each(['this is not HTTP\r\n\r\n', 'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n'])(
    'survives %j',
    async (answer) => {
      await using target = await tcpTarget((socket) => socket.once('data', () => socket.write(answer)));
      await using run = runProbe(httpProbe, { ...fast, url: target.url });

      await run.until(3);

      expect(run.samples.every(({ ok, error }) => !ok && /^[\w ]+$/.test(error ?? ''))).toBe(true);
    },
  );

  it('gives samples that are not ok for a URL that turns out to be none', async () => {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: that is how references are written
    await using run = runProbe(httpProbe, { ...fast, url: '${env:URL}' });

    await run.until(2);

    expect(tally(run.samples)).toEqual({ ERR_INVALID_URL: run.samples.length });
  });
});
