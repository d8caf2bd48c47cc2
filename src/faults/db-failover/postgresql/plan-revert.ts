/** The operations of revert and verify-reverted: backward (as it was) before the promotion, forward (a new standby) after it. */
import type { DatabaseNode, Operation } from '../../../plan/plan.ts';
import { slotName } from './names.ts';
import type { Scene } from './plan.ts';
import { marker } from './plan-inject.ts';
import * as shell from './shell.ts';
import * as rejoin from './shell-rejoin.ts';
import * as sql from './sql.ts';

const quick = 30_000;
const serverTimeout = 120_000;
/** Copying or rewinding a large cluster takes its time; the rollback's own limit ends it earlier. */
const dataTimeout = 6 * 3_600_000;

type Body = Pick<Operation, 'id' | 'purpose' | 'text'> & Partial<Operation>;

function inShell(node: DatabaseNode, body: Body): Operation {
  return { target: node.host, stage: 'revert', via: 'shell', changes: true, timeoutMs: quick, ...body, id: `${body.id}-${node.host}` };
}

function inSql(scene: Scene, node: DatabaseNode, body: Body): Operation {
  const base = { target: node.host, stage: 'revert', via: 'sql', database: scene.cluster.name, changes: true, timeoutMs: quick } as const;
  return { ...base, ...body, id: `${body.id}-${node.host}` };
}

export function backwardOperations({ primary, standbys }: Scene): Operation[] {
  const when = 'no standby was promoted';
  return [
    ...standbys.map((node) =>
      inShell(node, { id: 'resume', purpose: 'let the WAL receiver go on', text: shell.receiverText(node, 'resume') }),
    ),
    inShell(primary, {
      id: 'halt',
      purpose: 'stop the server',
      text: shell.stopText(primary),
      when: 'it runs and should not',
      timeoutMs: serverTimeout,
    }),
    inShell(primary, { id: 'kill', purpose: 'kill the server', text: shell.crashText(primary), when: 'it does not stop' }),
    inShell(primary, { id: 'unfence', purpose: 'take the fence away', text: shell.unfenceText(primary), when }),
    inShell(primary, {
      id: 'start',
      purpose: 'start the server',
      text: shell.startText(primary),
      when: 'it is down',
      timeoutMs: serverTimeout,
    }),
  ];
}

export function forwardOperations(scene: Scene): Operation[] {
  const { primary, standbys } = scene;
  const nodes = [primary, ...standbys];
  return [
    ...rejoinPreparation(scene),
    ...standbys.flatMap((source) => ways(scene, source)),
    inShell(primary, {
      id: 'open',
      purpose: 'let it start again, as a standby',
      text: shell.openText(primary),
      when: 'a standby was promoted',
    }),
    ...others(scene),
    ...standbys.flatMap((node) => [
      inSql(scene, node, {
        id: 'sync-names',
        purpose: 'move synchronous replication with the primary',
        text: 'ALTER SYSTEM SET synchronous_standby_names = @names@',
        when: 'the old primary replicated synchronously',
      }),
      inSql(scene, node, {
        id: 'reload',
        purpose: 'read the configuration again',
        text: 'SELECT pg_reload_conf()',
        when: 'its configuration was changed',
      }),
    ]),
    ...nodes.map((node) =>
      inSql(scene, node, {
        id: 'drop-slot',
        purpose: 'drop a slot that the failover left unused',
        text: sql.dropSlotSql,
        when: 'there is one that is named for a node of this cluster',
      }),
    ),
    inShell(primary, {
      id: 'clean-up',
      purpose: 'remove what was kept for the rollback',
      text: rejoin.cleanUpText(primary),
      timeoutMs: serverTimeout,
    }),
    ...nodes.flatMap((node) => checks(scene, node)),
  ];
}

function rejoinPreparation(scene: Scene): Operation[] {
  const { primary, standbys } = scene;
  const when = 'a standby was promoted';
  return [
    inShell(primary, {
      id: 'keep-fenced',
      purpose: 'make sure that it cannot come back as a second primary',
      text: shell.fenceText(primary),
      when,
    }),
    inShell(primary, { id: 'save-config', purpose: 'save its own configuration', text: rejoin.saveConfigText(primary), when }),
    ...standbys.flatMap((node) => [
      inSql(scene, node, {
        id: 'new-checkpoint',
        purpose: 'make its new timeline known',
        text: 'CHECKPOINT',
        when: 'it was promoted',
        timeoutMs: serverTimeout,
      }),
      inSql(scene, node, { id: 'create-slot', purpose: 'keep WAL for the standbys', text: sql.createSlotSql, when: 'it was promoted' }),
      inShell(node, {
        id: 'fork',
        purpose: 'read where its timeline began',
        text: rejoin.forkText(node),
        changes: false,
        when: 'it was promoted',
      }),
    ]),
    inShell(primary, {
      id: 'clear-clone',
      purpose: 'make room for a clone',
      text: rejoin.clearCloneText(primary),
      when: 'cloning',
      timeoutMs: serverTimeout,
    }),
    inShell(primary, { id: 'finish-clone', purpose: 'make the clone a standby', text: rejoin.finishCloneText(primary), when: 'cloning' }),
    inShell(primary, {
      id: 'swap',
      purpose: 'put the clone in the place of the old data, which is kept',
      text: rejoin.swapText(primary),
      when: 'cloning',
    }),
  ];
}

function ways(scene: Scene, source: DatabaseNode): Operation[] {
  const { cluster, primary } = scene;
  const backup = (id: string, text: string, when: string): Operation =>
    inSql(scene, source, {
      id,
      purpose: id.startsWith('backup-start') ? 'begin a backup' : 'end the backup',
      text,
      when: `cloning, ${when}`,
      timeoutMs: serverTimeout,
    });
  return [
    inShell(primary, {
      id: `rewind-from-${source.host}`,
      purpose: `take back what ${source.host} does not have`,
      text: rejoin.rewindText(primary, source, cluster.database),
      database: cluster.name,
      when: `${source.host} was promoted and the old primary has diverged`,
      timeoutMs: dataTimeout,
    }),
    backup('backup-start', sql.backupSql.start, 'PostgreSQL 15 and later'),
    backup('backup-start-14', sql.backupSql.start14, 'PostgreSQL 14'),
    {
      id: `copy-from-${source.host}`,
      target: source.host,
      stage: 'revert',
      via: 'copy',
      purpose: `copy all data of ${source.host} to ${primary.host}`,
      text: rejoin.readDataText(source),
      sink: { target: primary.host, text: rejoin.writeCloneText(primary) },
      changes: true,
      when: 'cloning',
      timeoutMs: dataTimeout,
    },
    backup('backup-stop', sql.backupSql.stop, 'PostgreSQL 15 and later'),
    backup('backup-stop-14', sql.backupSql.stop14, 'PostgreSQL 14'),
    follow(scene, primary, source),
  ];
}

function follow(scene: Scene, node: DatabaseNode, source: DatabaseNode): Operation {
  return inShell(node, {
    id: `follow-${source.host}`,
    purpose: `make it a standby of ${source.host}`,
    text: rejoin.followText(node, source, { slot: slotName(node.host), clearSync: node === scene.primary }),
    database: scene.cluster.name,
    when: `${source.host} was promoted`,
  });
}

/** The other standbys of a larger cluster follow the new primary too. */
function others(scene: Scene): Operation[] {
  return scene.standbys.flatMap((node) => scene.standbys.filter((source) => source !== node).map((source) => follow(scene, node, source)));
}

function checks(scene: Scene, node: DatabaseNode): Operation[] {
  const stage = 'verify-reverted';
  return [
    marker(scene, node, stage),
    inSql(scene, node, {
      id: 'read-marker',
      stage,
      purpose: 'see that the marker row has arrived',
      text: sql.readMarkerSql,
      changes: false,
      when: 'it is a standby',
    }),
    inSql(scene, node, { id: 'drop-marker', stage, purpose: 'remove the marker', text: sql.dropMarkerSql, when: 'it is the primary' }),
  ];
}
