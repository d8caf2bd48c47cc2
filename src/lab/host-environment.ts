/** What a command on a lab host finds in its environment, and who it runs as. */
import { chownSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { hostGroup, type LabHost, labPaths, loginOf } from './layout.ts';
import { writeStandIns } from './network/stand-ins.ts';
import { labVariable } from './processes.ts';
import type { Account, LabRecord } from './record.ts';

export interface Lab {
  readonly dir: string;
  readonly record: LabRecord;
}

/** `undefined`: as the keeper itself. */
export function accountOf(lab: Lab, host: LabHost): Account | undefined {
  return hostGroup(host) === 'db' ? lab.record.databaseAccount : lab.record.serviceAccount;
}

/** Complete: nothing is inherited from the keeper. */
export function hostEnvironment(lab: Lab, host: LabHost): Record<string, string> {
  const home = labPaths(lab.dir).home(host);
  const user = loginOf(host);
  return {
    HOME: home,
    USER: user,
    LOGNAME: user,
    SHELL: '/bin/sh',
    LC_ALL: 'C',
    PATH: [join(home, 'bin'), '/usr/local/bin', '/usr/bin', '/bin', '/usr/sbin', '/sbin'].join(':'),
    // Hosts share one /tmp; two of them must not meet in it.
    TMPDIR: join(home, 'tmp'),
    [labVariable]: lab.record.id,
    CHAOS_LAB_HOST: host,
  };
}

/** Where the host keeps what its `tc` was told. */
export function networkFolder(lab: Lab, host: LabHost): string {
  return join(labPaths(lab.dir).home(host), 'run');
}

/** Makes the host's home, owned by the one its commands run as. */
export function createHome(lab: Lab, host: LabHost): void {
  const home = labPaths(lab.dir).home(host);
  const account = accountOf(lab, host);
  for (const folder of [home, ...['bin', 'run', 'tmp'].map((name) => join(home, name))]) {
    mkdirSync(folder, { mode: 0o700 });
    if (account !== undefined) chownSync(folder, account.uid, account.gid);
  }
  writeStandIns(join(home, 'bin'), networkFolder(lab, host));
}
