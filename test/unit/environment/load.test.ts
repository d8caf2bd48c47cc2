// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references to secrets are written this way
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { loadEnvironment, parseEnvironment } from '../../../src/environment/load.ts';
import { type EnvironmentModel, resolveEnvironment } from '../../../src/environment/resolve.ts';
import { PlannedHost, PlannedProbe, PlannedSlo } from '../../../src/plan/plan.ts';
import { fakeProbes } from '../experiment/fakes.ts';

const file = fileURLToPath(new URL('../../fixtures/files/environment.yaml', import.meta.url));
const folder = path.dirname(file);
const good = readFileSync(file, 'utf8');

function model(text = good): EnvironmentModel {
  const parsed = parseEnvironment(text, file, fakeProbes);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.diagnostics));
  return resolveEnvironment(parsed.value);
}

function said(from: string, to: string): string[] {
  expect(good).toContain(from);
  const parsed = parseEnvironment(good.replace(from, to), file, fakeProbes);
  return parsed.ok ? [] : parsed.diagnostics.map((one) => `${one.code}: ${one.summary}${one.detail ? `; ${one.detail}` : ''}`);
}

function parseMistakes(text: string): string[] {
  const parsed = parseEnvironment(text, file, fakeProbes);
  if (parsed.ok) return [];
  return parsed.diagnostics.map(
    (one) => `${one.line}:${one.column} ${one.code}: ${one.summary}${one.detail ? `; ${one.detail.replaceAll('\n', '; ')}` : ''}`,
  );
}

describe('a good environment', () => {
  test('gives hosts as the plan wants them, with absolute paths', () => {
    const { hosts, protectedHosts, labels } = model();

    for (const host of hosts) PlannedHost.parse(host);
    expect(hosts.map(({ id }) => id)).toEqual(['lb', 'checkout-1', 'checkout-2', 'db-a', 'db-b']);
    expect(hosts[3]).toMatchObject({
      address: '127.0.0.1',
      port: 20025,
      user: 'postgres',
      agent: false,
      identityFiles: [path.join(folder, 'keys/id_ed25519')],
      knownHostsFiles: [path.join(folder, 'known_hosts')],
    });
    expect(protectedHosts).toEqual(['lb', 'bastion']);
    expect(labels['checkout-1']).toEqual({ tier: 'front' });
  });

  test('gives databases with start and stop commands quoted for a shell, and passwords still as references', () => {
    const [orders] = model().databases;

    expect(orders?.admin.password).toBe(`\${file:${path.join(folder, 'keys/admin-password')}}`);
    expect(orders?.roles).toEqual({ primary: 'db-primary', standby: 'db-standby' });
    expect(orders?.nodes[0]).toMatchObject({
      host: 'db-a',
      start: '/usr/lib/postgresql/15/bin/pg_ctl -D /var/lib/pg/a -w -t 60 -l /var/lib/pg/postgres.log start',
      stop: '/usr/lib/postgresql/15/bin/pg_ctl -D /var/lib/pg/a -m fast -w stop',
    });
    expect(orders?.nodes[1]?.start).toContain("-D '/var/lib/my pg/b' -w -t 60 -l '/var/lib/my pg/postgres.log'");
  });

  test('gives probes, SLOs and guards', () => {
    const { probes, slos, guards, tier } = model();

    for (const probe of probes) PlannedProbe.parse(probe);
    for (const slo of slos) PlannedSlo.parse(slo);
    expect(probes[1]).toMatchObject({ name: 'orders-ledger', kind: 'postgres-ledger', spec: { database: 'orders' } });
    expect(slos[1]).toMatchObject({ unit: 'duration', windowMs: 10_000, severe: { value: 500 }, fatal: { value: 900, text: '> 900ms' } });
    expect(model().abort).toEqual({ bad: 5, of: 100, consecutive: 3 });
    expect({ guards, tier }).toEqual({ guards: { maxTargets: 2, maxShare: 0.5 }, tier: 'lab' });
  });

  test('knows what is promised over a long time', () => {
    const text = good.replace('fatal: "> 5%"', 'fatal: "> 5%", objective: { share: 99.95%, over: 30d }');

    expect(model(text).slos[0]?.objective).toEqual({ share: 0.9995, periodMs: 30 * 86_400_000 });
  });

  test('knows how much of an error budget a run may cost', () => {
    expect(model(good.replace('guards: {', 'guards: { budget: { allowance: 5% },')).guards).toMatchObject({ budgetAllowance: 0.05 });
  });

  test('lets the abort rule be tuned in part, or switched off', () => {
    const tuned = (abort: string) => model(good.replace('guards: {', `guards: { abort: ${abort},`)).abort;

    expect(tuned('{ consecutive: 8 }')).toEqual({ bad: 5, of: 100, consecutive: 8 });
    expect(tuned('off')).toBe('off');
  });

  test('fills in what OpenSSH would assume', () => {
    const [host] = model('apiVersion: chaos/v1\nkind: Environment\nname: small\ntier: dev\nhosts: { web-1: {} }\n').hosts;

    expect(host).toMatchObject({
      address: 'web-1',
      port: 22,
      agent: true,
      identityFiles: [],
      knownHostsFiles: [path.join(homedir(), '.ssh/known_hosts')],
    });
    expect(host?.user).not.toBe('');
  });
});

describe('mistakes', () => {
  test.each([
    [
      'db-a: { address: 127.0.0.1, port: 20101',
      'db-x: { address: 127.0.0.1, port: 20101',
      'unknown-host: unknown host "db-x"; did you mean "db-a"?',
    ],
    ['fatal: "> 5%"', 'fatal: "> 5s"', 'unit-mismatch: error-rate is measured as a percentage, got "> 5s"; for example "> 5%"'],
    ['fatal: "> 5%"', 'fatal: "< 5%"', 'did you mean "> 5%"?'],
    ['fatal: "> 5%"', 'fatal: "> 100%"', 'unreachable-level: a share of samples never gets above 100 %'],
    [', fatal: "> 5%"', '', 'no-level: expected at least one of warning, severe and fatal'],
    ['severe: "> 500ms"', 'severe: "> 1s"', 'level-order: fatal (> 900ms) would be reached before severe (> 1s)'],
    ['measure: p90', 'measure: p91', 'expected one of error-rate, p50, p90'],
    [
      'probe: checkout, measure: error-rate',
      'probe: chekout, measure: error-rate',
      'unknown-probe: unknown probe "chekout"; did you mean "checkout"?',
    ],
    ['{ database: orders,', '{ database: order,', 'unknown-database: unknown database "order"; did you mean "orders"?'],
    ['{ http: {', '{ htpp: {', 'unknown-key: unknown key "htpp"; did you mean "http"?'],
    [
      'dataDir: /var/lib/pg/a,',
      'dataDir: /var/lib/pg/a, fence: "systemctl mask pg",',
      'no-way-back: fence needs unfence: every change has a way back',
    ],
    ['dataDir: /var/lib/pg/a', 'dataDir: pg/a', 'bad-path: expected an absolute path on the host, got "pg/a"'],
    [', identityFile: keys/id_ed25519', '', 'no-key: no way to log in to lb: the agent is off and no identityFile is given'],
    ['tier: lab\n', 'tier: prod\n', 'expected one of lab, dev, staging, production; got "prod"'],
    ['kind: Environment', 'kind: Experiment', 'wrong-kind: expected an environment, but this file says it is an experiment'],
    ['  lb:  ', '  "12": ', 'bad-name: expected a name of letters'],
    ['maxShare: 50%', 'maxShare: 0%', 'expected more than 0%'],
    ['fatal: "> 5%"', 'fatal: "> 5%", objective: { share: 100%, over: 30d }', 'out-of-bounds: an objective of 100% leaves no error budget'],
    ['fatal: "> 5%"', 'fatal: "> 5%", objective: { share: 99% }', 'missing-key: missing "over" in slos.checkout-errors.objective'],
    ['guards: {', 'guards: { abort: of,', 'bad-value: expected off, got "of"'],
    ['guards: {', 'guards: { abort: { bda: 3 },', 'unknown-key: unknown key "bda"; did you mean "bad"?'],
    ['guards: {', 'guards: { abort: { consecutive: off },', 'wrong-type: expected a number, got "off"'],
    ['guards: {', 'guards: { abort: { bad: 60 },', 'out-of-bounds: expected at most half of the last 100 samples (50), got 60'],
  ])('%j -> %j', (from, to, expected) => {
    expect(said(from, to).join('\n')).toContain(expected);
  });

  const latency = 'checkout-latency: { probe: checkout, measure: p90, window: 10s, severe: "> 500ms", fatal: "> 900ms" }';
  const gauge = (slo: string): string[] =>
    parseMistakes(
      good
        .replace('probes:\n', 'probes:\n  queue: { gauge: { query: x } }\n')
        .replace(latency, `queue-length: { probe: queue, window: 10s, ${slo} }`),
    );

  test.each([
    ['measure: value, fatal: "> 100"', []],
    ['measure: value-min, warning: "< 5", severe: "<= 3", fatal: "< 1"', []],
    [
      'measure: p90, fatal: "> 1s"',
      [
        '28:55 wrong-measure: a probe of kind gauge reads a number, and how long that took says nothing: p90 is a latency; did you mean the measure "value"?',
      ],
    ],
    ['measure: value, fatal: "> 5%"', ['28:69 unit-mismatch: value is measured as a plain number, got "> 5%"; for example "> 100"']],
    [
      'measure: value, fatal: "== 1"',
      ['28:69 wrong-direction: a level says from where on it is bad, and "== 1" is a single point; did you mean ">= 1" or "<= 1"?'],
    ],
    ['measure: value, severe: "< 3", fatal: "< 5"', ['28:84 level-order: fatal (< 5) would be reached before severe (< 3)']],
    ['measure: value, severe: "> 3", fatal: "< 1"', ['28:84 level-order: fatal (< 1) and severe (> 3) point in different directions']],
    [
      'measure: value, fatal: "> 100", objective: { share: 99%, over: 30d }',
      ['28:89 unit-mismatch: an objective is a share of good samples, and value has none; remove it, or measure error-rate or a latency'],
    ],
    ['measure: value', ['28:17 no-level: expected at least one of warning, severe and fatal; for example: fatal: "> 100"']],
  ])('of a value: %s -> %j', (slo, expected) => {
    expect(gauge(slo)).toEqual(expected);
  });

  test('a value of a probe that reads none is refused where it is asked for', () => {
    expect(parseMistakes(good.replace(latency, 'x: { probe: checkout, measure: value, window: 10s, fatal: "> 1" }'))).toEqual([
      '27:34 wrong-measure: a probe of kind http reads no number, so it has no value; kinds that read one: gauge',
    ]);
  });

  test('two kinds in one probe are refused', () => {
    expect(
      said(
        '{ http: { url: "http://127.0.0.1:20080/checkout", method: POST, rate: 10/s, timeout: 1s } }',
        '{ http: { url: x }, postgres-ledger: { database: orders } }',
      )[0],
    ).toContain('expected exactly one kind of probe, got http and postgres-ledger');
  });

  test('a file of another kind gives one mistake, not one for each key', () => {
    expect(said('kind: Environment', 'kind: Experiment')).toHaveLength(1);
  });

  test('a misspelt protected host is warned about', () => {
    const parsed = parseEnvironment(good.replace('protected: [bastion]', 'protected: [db-aa]'), file, fakeProbes);

    expect(parsed).toMatchObject({ ok: true, warnings: [{ severity: 'warning', code: 'unknown-host', detail: 'did you mean "db-a"?' }] });
  });

  test('a literal password is refused and not repeated', () => {
    const parsed = parseEnvironment(good.replace('"${file:keys/admin-password}"', 'hunter2'), file, fakeProbes);

    expect(parsed).toMatchObject({ ok: false, diagnostics: [{ code: 'literal-secret' }] });
    expect(JSON.stringify(parsed)).not.toContain('hunter2');
  });

  test.each([
    ['${vault:secret/x}', 'references to a vault are not supported yet'],
    ['${envv:X}', 'unknown reference scheme "envv"; did you mean "env"?'],
    ['${X}', '${X} is not a reference'],
    ['${env:}', '${env:} names nothing'],
    ['${env:1X}', '"1X" is not the name of an environment variable'],
  ])('the password %s is one mistake about the reference', (reference, expected) => {
    const all = said('${file:keys/admin-password}', reference);

    expect(all).toHaveLength(1);
    expect(all[0]).toContain(expected);
  });

  test('an unclosed reference anywhere in the file is found', () => {
    expect(said('http://127.0.0.1:20080/checkout', 'http://${env:HOST/checkout')).toEqual([
      'bad-reference: a reference begins with ${ but has no closing }',
    ]);
  });
});

test('a missing file is an error with a code, a folder is a diagnostic', () => {
  expect(() => loadEnvironment(path.join(folder, 'none.yaml'), fakeProbes)).toThrow(expect.objectContaining({ code: 'CHAOS_NOT_FOUND' }));
  expect(loadEnvironment(folder, fakeProbes)).toMatchObject({ ok: false, diagnostics: [{ code: 'bad-file' }] });
});
