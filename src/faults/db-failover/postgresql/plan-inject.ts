/** The operations of inject and verify: taking the primary away, and promoting a standby. */
import type { DatabaseNode, Operation } from '../../../plan/plan.ts';
import { durationMs } from '../../fields.ts';
import type { Scene } from './plan.ts';
import { crashText, fenceText, receiverText, stopText } from './shell.ts';
import { markerSql } from './sql.ts';

const stopTimeout = 120_000;
const quick = 30_000;

export function injectOperations(scene: Scene): Operation[] {
  const { standbys, parameters } = scene;
  const stalled = parameters.stall === undefined ? [] : standbys;
  return [
    ...stalled.map((node) => receiver(node, 'stall')),
    ...(parameters.mode === 'crash' ? [crash(scene, 'inject', 'crash')] : plannedStop(scene)),
    ...stalled.map((node) => receiver(node, 'cut')),
    fence(scene),
    ...(parameters.mode === 'planned' ? [crash(scene, 'inject', 'crash')] : []).map((operation) => ({
      ...operation,
      when: 'something started it again',
    })),
    ...standbys.map((node) => promotion(scene, node)),
    ...standbys.map((node) => marker(scene, node, 'verify')),
  ];
}

function crash({ primary }: Scene, stage: Operation['stage'], id: string): Operation {
  return {
    id: `${id}-${primary.host}`,
    target: primary.host,
    stage,
    via: 'shell',
    purpose: 'kill the server and every backend of it',
    text: crashText(primary),
    changes: true,
    undo: `before the promotion: remove standby.signal and start it (${primary.start}); after it: join as a standby`,
    timeoutMs: quick,
  };
}

function plannedStop({ cluster, primary }: Scene): Operation[] {
  return [
    {
      id: `checkpoint-${primary.host}`,
      target: primary.host,
      stage: 'inject',
      via: 'sql',
      purpose: 'shorten the stop',
      text: 'CHECKPOINT',
      database: cluster.name,
      changes: true,
      undo: 'nothing to undo: a checkpoint is always allowed',
      timeoutMs: stopTimeout,
    },
    {
      id: `stop-${primary.host}`,
      target: primary.host,
      stage: 'inject',
      via: 'shell',
      purpose: 'stop the server cleanly; it waits until the standbys have everything',
      text: stopText(primary),
      changes: true,
      undo: `before the promotion: remove standby.signal and start it (${primary.start}); after it: join as a standby`,
      timeoutMs: stopTimeout,
    },
  ];
}

function receiver(node: DatabaseNode, action: 'stall' | 'cut'): Operation {
  return {
    id: `${action}-${node.host}`,
    target: node.host,
    stage: 'inject',
    via: 'shell',
    purpose: action === 'stall' ? 'stop the WAL receiver where it stands' : 'end the WAL receiver with what it has not read yet',
    text: receiverText(node, action),
    changes: true,
    undo: action === 'stall' ? 'SIGCONT to the WAL receiver' : 'the server starts a new one by itself',
    timeoutMs: quick,
  };
}

function fence({ primary }: Scene): Operation {
  return {
    id: `fence-${primary.host}`,
    target: primary.host,
    stage: 'inject',
    via: 'shell',
    purpose: 'make sure that it cannot come back as a second primary',
    text: fenceText(primary),
    changes: true,
    undo: `remove standby.signal${primary.unfence === undefined ? '' : `; ${primary.unfence}`}`,
    timeoutMs: quick,
  };
}

function promotion({ cluster, parameters, standbys }: Scene, node: DatabaseNode): Operation {
  const within = durationMs(parameters.promoteTimeout);
  const base = { target: node.host, stage: 'inject', via: 'sql', database: cluster.name, pointOfNoReturn: true } as const;
  if (parameters.promotion === 'observe') {
    return {
      ...base,
      id: `observe-${node.host}`,
      purpose: 'ask until something else has promoted it',
      text: 'SELECT pg_is_in_recovery() AS recovery',
      changes: false,
      when: 'once the primary is gone, the other tool decides: from here on there is only the way forward',
      timeoutMs: 10_000,
    };
  }
  return {
    ...base,
    id: `promote-${node.host}`,
    purpose: 'promote it to primary',
    text: `SELECT pg_promote(true, ${Math.ceil(within / 1_000)}) AS promoted`,
    changes: true,
    ...(standbys.length === 1 ? {} : { when: 'it has the most WAL of all standbys' }),
    timeoutMs: within + 5_000,
  };
}

/** A write that proves that the node takes writes; it is removed when the fault is reverted. */
export function marker({ cluster }: Pick<Scene, 'cluster'>, node: DatabaseNode, stage: 'verify' | 'verify-reverted'): Operation {
  return {
    id: `${stage === 'verify' ? 'marker' : 'new-marker'}-${node.host}`,
    target: node.host,
    stage,
    via: 'sql',
    purpose: 'write a marker row, without waiting for a standby',
    text: markerSql,
    database: cluster.name,
    changes: true,
    undo: 'DROP TABLE chaos.marker',
    when: 'it is the primary',
    timeoutMs: 15_000,
  };
}
