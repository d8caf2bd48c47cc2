/** What `process-kill` needs its ten seconds for. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { processKill } from '../../src/faults/process-kill/index.ts';
import { FaultRun } from '../support/fault-run.ts';

test('process-kill is not effective when the process survives the signal', async () => {
  const home = mkdtempSync(join(tmpdir(), 'chaos-test-kill-'));
  const child = spawn('sh', ['-c', 'trap "" TERM; while :; do sleep 1; done'], { stdio: 'ignore' });
  writeFileSync(join(home, 'service.pid'), `${child.pid}\n`);
  await sleep(200);
  const parameters = { pidFile: 'service.pid', signal: 'TERM' };
  await using run = new FaultRun(processKill, { hosts: [{ id: 'one', home }], targets: ['one'], parameters });

  await run.prepare();
  await run.inject();
  const effect = await run.verify();
  child.kill('SIGKILL');
  rmSync(home, { recursive: true, force: true });

  expect(effect).toMatchObject({ effective: false, evidence: [`one: still alive: ${child.pid}`] });
});
