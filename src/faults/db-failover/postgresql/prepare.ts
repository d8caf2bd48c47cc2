/** Reads only: refuses, with the numbers and the remedy, whatever could not be promoted safely or undone afterwards. */
import type { JsonObject } from '../../../core/json.ts';
import type { FaultContext } from '../../contract.ts';
import { sizeBytes } from '../../fields.ts';
import { DbFailoverParameters } from '../schema.ts';
import { receiverName } from './names.ts';
import { answer, keyValues, row, rows } from './nodes.ts';
import { type Node, refuse, rejoinWay, type Standby } from './rejoin-way.ts';
import { keepDir } from './shell.ts';
import { ActivityRow, ReceiverRow, SenderRow, ServerRow } from './sql.ts';
import type { FailoverUndo } from './undo.ts';

/** `pg_control`'s layout was checked for these; also what pg_promote and the backup functions need. */
const supported = { from: 140_000, below: 190_000 } as const;
const longestReplyAge = 10;

export async function prepare(context: FaultContext): Promise<JsonObject> {
  const parameters = DbFailoverParameters.parse(context.step.parameters);
  const target = context.step.targets[0] ?? '';
  const hosts = hostsOf(context);
  const nodes: Node[] = [];
  for (const host of hosts) nodes.push(await readHost(context, host));
  const primary = onlyPrimary(nodes, target);
  const standbys: Standby[] = [];
  for (const node of nodes) {
    checkHost(node);
    checkServer(node, primary);
    if (node !== primary) standbys.push({ ...node, sender: await checkStandby(context, node, primary, parameters) });
  }
  await checkActivity(context, primary.host);
  return undoRecord(context, parameters, primary, standbys);
}

function hostsOf(context: FaultContext): string[] {
  return context.step.operations.flatMap(({ id, target }) => (id === `server-${target}` ? [target] : []));
}

async function readHost(context: FaultContext, host: string): Promise<Node> {
  const server = await answer(context, () => row(context, `server-${host}`, ServerRow));
  if (server instanceof Error)
    throw refuse(
      host,
      `its database server does not answer: ${server.message}`,
      'start it, and check the admin login of the environment',
      server,
    );
  const { stdout } = await context.operations.run(`host-${host}`);
  return { host, facts: keyValues(stdout), server };
}

function onlyPrimary(nodes: readonly Node[], target: string): Node {
  const writable = nodes.filter(({ server }) => !server.recovery);
  const [primary] = writable;
  if (primary === undefined) throw refuse(target, 'no node of the cluster is writable', 'start the primary, or promote a standby');
  if (writable.length > 1) {
    const names = writable.map(({ host }) => host).join(' and ');
    throw refuse(target, `${names} are both writable: two primaries`, 'stop the one that is wrong before anything else');
  }
  if (primary.host !== target)
    throw refuse(target, `the primary is ${primary.host}, not ${target}`, `aim at ${primary.host}, or select by role`);
  return primary;
}

function checkHost({ host, facts, server }: Node): void {
  const no = (key: string): boolean => facts.get(key) !== 'yes';
  if (no('dir')) throw refuse(host, 'the data folder of the environment file does not exist', 'correct dataDir');
  if (no('owner')) {
    throw refuse(host, 'the login does not own the data folder', 'let the environment file log in as its owner (user: postgres)');
  }
  // Compared by the running server's port: paths may go through symbolic links.
  if (facts.get('port') !== server.port) {
    const said = `the server on port ${server.port} uses ${server.data_directory}, not ${facts.get('real')}`;
    throw refuse(host, said, 'correct dataDir, address or port in the environment file');
  }
  if (no('postgres')) throw refuse(host, 'binDir has no postgres', 'correct binDir');
  for (const tool of ['od', 'awk']) if (no(tool)) throw refuse(host, `${tool} is not installed`, `install ${tool}`);
  if (!server.recovery && !no('signal')) {
    throw refuse(
      host,
      'standby.signal lies in the data folder of the primary: restarted, it would become a standby',
      'find out who put it there, and remove it',
    );
  }
}

function checkServer({ host, server }: Node, primary: Node): void {
  const { version } = server;
  if (version < supported.from || version >= supported.below)
    throw refuse(host, `PostgreSQL ${version} is not supported`, 'versions 14 to 18 are');
  if (version !== primary.server.version) {
    throw refuse(host, `it has version ${version}, the primary ${primary.server.version}`, 'bring both to the same version');
  }
  if (server.system !== primary.server.system) {
    throw refuse(
      host,
      `its system identifier ${server.system} differs from the primary's ${primary.server.system}: not the same cluster`,
      'correct the nodes of the environment file',
    );
  }
  if (!server.superuser) throw refuse(host, `${server.user} is not a superuser there`, 'name a superuser as admin of the database');
}

async function checkStandby(
  context: FaultContext,
  { host, server }: Node,
  primary: Node,
  { maxLag }: DbFailoverParameters,
): Promise<SenderRow> {
  const [receiver] = await rows(context, `receiver-${host}`, ReceiverRow);
  if (receiver === undefined)
    throw refuse(host, 'no WAL receiver is running: it does not replicate', 'look into its log, and let it connect to the primary');
  if (receiver.paused) throw refuse(host, 'replay is paused', 'SELECT pg_wal_replay_resume()');
  const name = receiverName(receiver.conninfo ?? '', server.cluster_name);
  const mine = (await rows(context, `senders-${primary.host}`, SenderRow)).filter((sender) => sender.name === name);
  const [sender] = mine;
  if (sender === undefined)
    throw refuse(
      host,
      `the primary has no connection of a standby ${name}`,
      'let it stream from the primary itself, not from another standby',
    );
  if (mine.length > 1)
    throw refuse(
      host,
      `${mine.length} standbys call themselves ${name}`,
      'set cluster_name, or application_name in primary_conninfo, on each',
    );
  const lag = Number(sender.lag_bytes ?? Number.NaN);
  if (sender.state !== 'streaming') throw refuse(host, `its state is ${sender.state}, not streaming`, 'wait until it has caught up');
  if (!(lag <= sizeBytes(maxLag)))
    throw refuse(
      host,
      `it is ${lag} bytes behind, at most ${sizeBytes(maxLag)} (${maxLag}) are allowed`,
      'wait until it has caught up, or raise maxLag',
    );
  const age = sender.reply_age ?? Number.NaN;
  if (!(age < longestReplyAge))
    throw refuse(
      host,
      `its last reply is ${age.toFixed(1)} s old, at most ${longestReplyAge} s are allowed`,
      'check wal_receiver_status_interval and the network',
    );
  if (server.free_slots < 1) throw refuse(host, 'it has no replication slot left for the old primary', 'raise max_replication_slots');
  if (server.replication_rules < 1)
    throw refuse(host, 'its pg_hba.conf lets no standby replicate from it', 'add a replication line for the old primary');
  return sender;
}

async function checkActivity(context: FaultContext, primary: string): Promise<void> {
  const { prepared, backups, long_transactions: long, longest } = await row(context, `activity-${primary}`, ActivityRow);
  if (backups > 0) throw refuse(primary, `${backups} base backup(s) are running`, 'wait until they have ended');
  if (prepared > 0) throw refuse(primary, `${prepared} prepared transaction(s) are open`, 'commit or roll them back (pg_prepared_xacts)');
  if (long > 0)
    throw refuse(
      primary,
      `${long} transaction(s) are open for more than 5 min, the longest for ${Math.round(longest)} s`,
      'wait for them, or end them (pg_stat_activity)',
    );
}

function undoRecord(context: FaultContext, parameters: DbFailoverParameters, primary: Node, standbys: readonly Standby[]): JsonObject {
  const nodes = [primary, ...standbys];
  const way = rejoinWay(parameters, primary, standbys);
  const by = <T>(read: (node: Node) => T): Record<string, T> => Object.fromEntries(nodes.map((node) => [node.host, read(node)]));
  const database = context.step.operations.find((operation) => operation.database !== undefined)?.database ?? '';
  return {
    engine: 'postgresql',
    database,
    mode: parameters.mode,
    promotion: parameters.promotion,
    primary: primary.host,
    standbys: standbys.map(({ host, sender }) => ({ host, name: sender.name, ...(sender.slot === null ? {} : { slot: sender.slot }) })),
    systemIdentifier: primary.server.system,
    timeline: primary.server.timeline ?? '',
    version: primary.server.version,
    dataDirs: by(({ server }) => server.data_directory),
    syncNames: by(({ server }) => server.sync_names),
    idleSlots: by(({ server }) => server.idle_slots.split(',').filter((slot) => slot !== '')),
    configBackup: keepDir,
    ...way,
  } satisfies FailoverUndo;
}
