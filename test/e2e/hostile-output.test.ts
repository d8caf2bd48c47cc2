/** What hosts and files say is shown, kept and reported; it never steers a terminal, breaks a report or fills a disk. */
import { readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import ssh2 from 'ssh2';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { experiment, quickEnvironment } from '../support/e2e-experiments.ts';
import { brokenRows, hostileMarkup, loudScript, steeringIn } from '../support/e2e-hostile.ts';
import { journalOf, TempProject } from '../support/e2e-project.ts';
import { inTerminal, noTerminal } from '../support/e2e-terminal.ts';

const title = `"Loud \\e[41m \\e]0;x\\a \\u202e ${hostileMarkup.replaceAll('"', '')}"`;

describe('a command fault that prints what it likes', () => {
  let place: TempProject;
  let environment: string;
  beforeAll(async () => {
    place = new TempProject();
    const loud = `sh ${place.write('loud.sh', loudScript())}`;
    const write = (name: string, inject: string, revert: string): void => {
      const words = { inject, verify: `${loud} binary 5; [ -e ${name} ]`, revert };
      const parameters = Object.entries(words).map(([key, value]) => `${key}: ${JSON.stringify(value)}`);
      const step = `{ fault: command, on: { group: checkout, count: 1 }, with: { ${parameters.join(', ')} }, duration: 1s }`;
      const text = experiment({ name, baseline: '1s', steps: [step], recovery: '{ within: 20s, hold: 1s }' });
      place.write(`experiments/${name}.yaml`, text.replace(/^title: .*$/m, `title: ${title}`).replace('owner: test', `owner: ${title}`));
    };
    write(
      'held',
      `${loud} flood 30; ${loud} flood 30 >&2; touch held # \u009b41m \u202e ${hostileMarkup}`,
      `${loud} binary 10; ${loud} flood 30 >&2; rm -f held`,
    );
    write('stuck', `touch stuck; ${loud} binary 10; exit 7`, `${loud} flood 30 >&2; [ -e mended ] && rm -f stuck`);
    environment = quickEnvironment(await place.labUp());
  });
  afterAll(async () => {
    await place[Symbol.asyncDispose]();
  });

  /** The journal and all that is made from it. */
  function expectSafeRecord(name: string): void {
    const folder = join(place.reports, place.runFolders().find((candidate) => candidate.includes(`-${name}-`)) ?? '');
    const report = readFileSync(join(folder, 'report.md'), 'utf8');
    expect(journalOf(folder).length).toBeGreaterThan(20);
    for (const file of ['journal.jsonl', 'report.md', 'slo-checkout-errors.svg']) {
      expect(steeringIn(readFileSync(join(folder, file), 'utf8')), file).toEqual([]);
      expect(statSync(join(folder, file)).size, file).toBeLessThan(200_000);
    }
    const fenced = /^(`{3,}).*\n[\s\S]*?\n\1$/gm;
    expect(brokenRows(report)).toEqual([]);
    expect(report.replace(fenced, '').replace(/^---\n[\s\S]*?\n---\n/, '')).not.toMatch(
      /<script|(?<!\\)!\[x|(?<!\\)\[l\]|(?<![\p{L}\p{N}])@all/u,
    );
    expect(report.match(/^<!-- chaos:end timeline -->$/gm)).toHaveLength(1);
  }

  test.runIf(noTerminal() === undefined)('holds in a terminal, which only our own live view steers', async () => {
    await using session = inTerminal(['run', 'held', '--env', environment], {
      cwd: place.project,
      env: { TMPDIR: place.tmp },
      columns: 100,
    });

    expect(await session.exitCode, session.output().slice(-2_000)).toBe(0);
    expect(session.output()).toContain('HELD');
    expect(steeringIn(session.output())).toEqual([]);
    expectSafeRecord('held');
  });

  test('fails and cannot be reverted: what is said of it everywhere is short, safe and marked as cut', async () => {
    const run = await place.chaos(['run', 'stuck', '--env', environment]);
    const status = await place.chaos(['status']);
    const [id = ''] = status.stdout.split(' ');
    const report = await place.chaos(['report', id]);
    const plan = await place.chaos(['plan', 'stuck', '--env', environment]);
    const failed = await place.chaos(['recover', id]);
    expectSafeRecord('stuck');
    await place.ssh('checkout-1', 'touch mended');
    const recovered = await place.chaos(['recover', id, '--json']);

    expect(run.exitCode, run.stderr).toBe(6);
    expect(run.stderr).toContain('injecting failed with exit code 7');
    // The last words of 30 MB, not the last of their first megabyte; said once.
    expect(/ROLLBACK UNKNOWN[\s\S]*?now:/.exec(run.stderr)?.[0]).toMatch(
      /exit code 1 \(not all of its output was kept\): …(?:(?!exit code)[\s\S])*the revert command failed\)\n/,
    );
    expect(failed.exitCode).toBe(6);
    expect(failed.stderr).toContain('it is not proved undone yet');
    expect(failed.stderr + recovered.stdout).not.toMatch(/runner (?:had )?died/);
    // What the run came to stands: it was aborted, and is rolled back clean now.
    expect(recovered.exitCode, recovered.stderr).toBe(5);
    for (const { stdout, stderr } of [run, status, report, plan, failed, recovered]) {
      expect(steeringIn(stdout + stderr)).toEqual([]);
      expect(stdout.length + stderr.length).toBeLessThan(60_000);
    }
    expectSafeRecord('stuck');
  });
});

describe('names and errors from elsewhere', () => {
  test('an inventory, an SSH configuration and a server that want to steer the terminal', async () => {
    await using place = new TempProject();
    const server = createServer((socket) =>
      socket.on('error', () => undefined).end('\u001b]0;owned\u0007\u001b[41mSSH-1.0-\u009b2J\u202e\r\n'),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    const environment = (name: string, hosts: string): string =>
      place.write(
        `experiments/environments/${name}.yaml`,
        `apiVersion: chaos/v1\nkind: Environment\nname: ${name}\ntier: dev\nssh: { config: none, identityFile: key, knownHosts: known, agent: false }\n${hosts}\n`,
      );
    place.write('experiments/environments/known', '');
    place.write('experiments/environments/key', ssh2.utils.generateKeyPairSync('ed25519').private);
    place.write('experiments/environments/names.ini', 'web-\u001b[41m\u202e1 ansible_host=10.0.0.1\n');
    place.write('experiments/environments/address.ini', 'web-1 ansible_host=10.0.\u009b2J0.1 ansible_user={{\u001b[2J}}\n');
    const files = [
      environment('names', 'from: { ansible: names.ini }'),
      environment('address', 'from: { ansible: address.ini }'),
      environment('address2', 'hosts: { "web-\\e[41m": { address: "10.0.0.1\\e]0;x\\a" } }'),
    ];
    try {
      const banner = environment('banner', `hosts: { web-1: { address: 127.0.0.1, port: ${port}, user: "\\e[41mroot\\u009b" } }`);
      const answers = [
        await place.chaos(['validate', ...files]),
        await place.chaos(['validate', ...files, '--json']),
        await place.chaos(['doctor', '--env', banner]),
        await place.chaos(['doctor', '--env', banner, '--json']),
        await place.chaos(['plan', '\u001b[41mnone\u009b']),
        await place.chaos(['\u001b[41mrun\u009b']),
      ];

      expect(answers.map(({ exitCode }) => exitCode)).toEqual([2, 2, 3, 3, 2, 2]);
      for (const { stdout, stderr } of answers) expect(steeringIn(stdout + stderr)).toEqual([]);
    } finally {
      server.close();
    }
  });
});
