import { expect, test } from 'vitest';
import { displayWidth } from '../../../src/views/columns.ts';
import { renderPlan } from '../../../src/views/plan-view.ts';
import { cpuPlan, failoverPlan, failoverStep } from '../../support/journal-plan.ts';

const plain = (plan = failoverPlan) => renderPlan(plan, { color: false });

test('shows every operation with its target, its exact command and its undo', () => {
  const text = plain();

  for (const operation of failoverStep.operations) {
    expect(text).toContain(operation.text);
    expect(text).toContain(operation.purpose);
    if (operation.undo !== undefined) expect(text).toContain(`undo ${operation.undo}`);
    if (operation.sink !== undefined) expect(text).toContain(`| ${operation.sink.target} $ ${operation.sink.text}`);
  }
});

test('draws the point of no return between promoting and what follows', () => {
  const text = plain();

  expect(text.indexOf('SELECT pg_promote')).toBeLessThan(text.indexOf('──── point of no return'));
  expect(text.indexOf('──── point of no return')).toBeLessThan(text.indexOf('verify: is it in effect?'));
  expect(plain(cpuPlan)).not.toContain('point of no return');
});

test('shows a refusal with its reason and its remedy', () => {
  const refused = { guard: 'freeze', allowed: false, reason: 'frozen until Monday 08:00', remedy: 'run it on Monday' };

  const text = plain({ ...failoverPlan, guards: [...failoverPlan.guards, refused] });

  expect(text).toMatch(/REFUSED {2}freeze +frozen until Monday 08:00\n +remedy: run it on Monday/);
});

test('says what is read only, what is a target, and what is changed besides', () => {
  const text = plain({ ...failoverPlan, hosts: [...failoverPlan.hosts, ...cpuPlan.hosts] });

  expect(text).toMatch(/db-a +target of s1/);
  expect(text).toMatch(/db-b +changed too/);
  expect(text).toMatch(/checkout-1 +read only/);
});

test('shows the hosts that a connection goes through and the local command that makes it', () => {
  const [host, ...others] = failoverPlan.hosts;
  if (host === undefined) throw new Error('no host');
  const jump = { ...host, id: 'gate', address: '10.0.0.1', port: 2201, user: 'ops', proxyCommand: 'relay gate' };

  const behind = plain({ ...failoverPlan, hosts: [{ ...host, jumps: [jump] }, ...others] });
  const relayed = plain({ ...failoverPlan, hosts: [{ ...host, proxyCommand: 'relay\u001b[2J %' }, ...others] });

  expect(behind).toContain('\n    through ops@10.0.0.1:2201 by the local command  relay gate\n');
  expect(relayed).toContain('\n    by the local command  relay %\n');
  expect(plain()).not.toContain('local command');
});

test('says what an SLO promises in the long run', () => {
  expect(plain()).toContain('fatal > 5%, objective 99.9 % over 30 d');
});

test('says when bad samples stop the run, and in loud words when they never do', () => {
  expect(plain()).toContain('aborts at 5 bad of the last 100 samples');
  expect(plain({ ...failoverPlan, abort: 'off' })).toContain('abort rule OFF');
});

test('says what Ctrl-C will do, the limits and the hash', () => {
  const text = plain();

  expect(text).toContain('Ctrl-C\n  - before injection: stops; nothing was changed.');
  expect(text).toContain('roll back within 2 min');
  expect(text.trimEnd().endsWith(failoverPlan.hash)).toBe(true);
});

test('strips control characters from a plan, keeping the lines of a command', () => {
  const hostile = {
    ...failoverStep,
    operations: [{ ...failoverStep.operations[1], text: 'echo a\necho \u001b[2Jb' } as (typeof failoverStep.operations)[number]],
  };

  const text = plain({ ...failoverPlan, steps: [hostile], experiment: { ...failoverPlan.experiment, title: 'x\u001b]0;y\u0007\nz' } });

  expect(text).toContain('$ echo a\n                 echo b\n');
  expect(text).toContain('db-failover: x z\n');
  expect(text).not.toContain('\u001b');
});

test('colours meanings and nothing else: without the escapes it is the same text', () => {
  const colored = renderPlan(failoverPlan, { color: true });

  expect(colored).toContain('\u001b[');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the escapes
  expect(colored.replace(/\u001b\[[0-9;]*m/g, '')).toBe(plain());
});

test('wraps prose to the width of the terminal', () => {
  const text = renderPlan(failoverPlan, { color: false, columns: 60 });
  const hypothesis = text.slice(text.indexOf('  hypothesis'), text.indexOf('Targets'));

  for (const line of hypothesis.split('\n')) expect(displayWidth(line)).toBeLessThanOrEqual(60);
});
