import { describe, expect, it } from 'vitest';
import { tcpProbe } from '../../../../src/probes/tcp/index.ts';
import { runProbe, tally } from '../../../support/probe-run.ts';
import { tcpTarget } from '../../../support/probe-target.ts';

const fast = { rate: '50/s', timeout: '500ms' };

describe('tcp probe', () => {
  it('takes a connection for ok where nothing else is asked, and closes it', async () => {
    let closed = 0;
    await using target = await tcpTarget((socket) => socket.resume().on('close', () => closed++));
    await using run = runProbe(tcpProbe, { ...fast, address: `127.0.0.1:${target.port}` });

    await run.until(5);
    await run.probe.stop();

    expect(tally(run.samples)).toEqual({ ok: run.samples.length });
    await expect.poll(() => closed).toBe(run.samples.length);
  });

  it('sends what it is told to, and puts an answer in pieces together', async () => {
    const said: string[] = [];
    await using target = await tcpTarget((socket) =>
      socket.once('data', (data) => {
        said.push(String(data));
        socket.write('220 mail.exa');
        setTimeout(() => socket.write('mple ready\r\n'), 20);
      }),
    );
    const spec = { address: `127.0.0.1:${target.port}`, send: 'EHLO ü\r\n', expectText: { matches: '^220 .*ready' } };
    await using run = runProbe(tcpProbe, { ...fast, ...spec });

    await run.until(3);
    await run.probe.stop();

    expect(new Set(said)).toEqual(new Set(['EHLO ü\r\n']));
    expect(tally(run.samples)).toEqual({ ok: run.samples.length });
    expect(Math.min(...run.samples.map(({ sent, end }) => end - sent))).toBeGreaterThan(15);
  });

  it.each([
    {},
    { address: 'db-a' },
    { address: 'db-a:5432', send: '' },
    { address: 'db-a:5432', tls: true },
    { address: 'db-a:5432', port: 1 },
  ])('refuses %j', (spec) => {
    expect(tcpProbe.spec.safeParse(spec).success).toBe(false);
  });
});
