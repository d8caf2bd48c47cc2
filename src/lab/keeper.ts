/**
 * The keeper: the one process of a lab that stays. It holds the SSH hosts and the supervisor, starts PostgreSQL, watches its owner, and takes
 * everything down again. Run as `node keeper.js keeper DIR`; it talks to others only through the record in DIR and its log.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { CleanupStack } from '../core/cleanup-stack.ts';
import { poll, systemClock } from '../core/clock.ts';
import { entryPoint, type LabProgram } from '../core/entry-point.ts';
import { ChaosError, describeError } from '../core/errors.ts';
import type { CheckoutSettings } from './checkout-service.ts';
import { accountOf, createHome, hostEnvironment, type Lab, networkFolder } from './host-environment.ts';
import { type LabSecrets, shopUrl, writeLabFiles } from './lab-files.ts';
import {
  databaseHosts,
  databaseName,
  databaseUsers,
  hostGroup,
  type LabHost,
  labHosts,
  labLinks,
  labPaths,
  labPorts,
  loginOf,
  loopback,
  serviceHosts,
} from './layout.ts';
import type { BalancerSettings } from './load-balancer.ts';
import { HostNetwork } from './network/host-network.ts';
import { Link } from './network/link.ts';
import { createCluster } from './postgres-cluster.ts';
import { identify, isAlive } from './processes.ts';
import { type LabRecord, readRecord, writeRecord } from './record.ts';
import { superviseService } from './service.ts';
import { noteSegments } from './shared-memory.ts';
import { type SshHost, startSshHost } from './ssh-host.ts';
import { takeDown } from './take-down.ts';

const tickMs = 500;

function log(text: string): void {
  process.stderr.write(`${new Date().toISOString()} ${text}\n`);
}

async function keep(dir: string): Promise<void> {
  const record = readRecord(dir);
  if (record === undefined) throw new ChaosError('CHAOS_LAB', `no lab in ${dir}`);
  let current: LabRecord = { ...record, keeper: identify(process.pid) };
  const update = (change: Partial<LabRecord>): void => {
    current = { ...current, ...change };
    if (existsSync(dir)) writeRecord(dir, current);
  };
  update({});
  const stop = stopSignal();
  const held = new CleanupStack();
  try {
    await bringUp({ dir, record: current }, held, stop.signal);
    update({ state: 'up' });
    log('up');
    while ((await watch(dir, record, stop.signal)) === 'orphaned') {
      // In this order, so that whoever adopts the lab in this moment either is seen here or sees that it is too late.
      update({ state: 'stopping' });
      if (!existsSync(labPaths(dir).adopted)) break;
      update({ state: 'up' });
    }
  } catch (error) {
    if (!stop.signal.aborted) {
      log(`failed: ${describeError(error)}`);
      const hint = error instanceof ChaosError ? error.hint : undefined;
      update({ failure: { summary: describeError(error), ...(hint === undefined ? {} : { hint }), portTaken: isPortTaken(error) } });
    }
  }
  log('going down');
  update({ state: current.failure === undefined ? 'stopping' : 'failed' });
  await held[Symbol.asyncDispose]().catch((error: unknown) => log(describeError(error)));
  // A failure is for the starter to read; it then removes the folder.
  if (current.failure !== undefined && isAlive(record.starter)) return;
  await takeDown(record.id, dir);
}

/** Aborts when someone asks this process to end. */
function stopSignal(): AbortController {
  const stop = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stop.abort(new Error(signal)));
  process.on('SIGHUP', () => undefined);
  process.on('uncaughtException', (error) => {
    log(`uncaught: ${error.stack ?? error.message}`);
    stop.abort(error);
  });
  return stop;
}

async function bringUp(lab: Lab, held: CleanupStack, signal: AbortSignal): Promise<void> {
  const secrets = writeLabFiles(lab);
  for (const host of labHosts) createHome(lab, host);
  // First of all: whoever holds these ports holds the lab's whole block of ports.
  const opened: SshHost[] = [];
  held.defer(() => Promise.all(opened.map((host) => host.close())));
  for (const host of labHosts) opened.push(await openHost(lab, host, secrets));
  log('the hosts can be logged in to');
  startShop(lab, secrets, held);
  await createCluster(lab, secrets.passwords, log, signal);
  noteSegments(lab.dir);
  await awaitFirstOrder(lab, signal);
}

function openHost(lab: Lab, host: LabHost, secrets: LabSecrets): Promise<SshHost> {
  const account = accountOf(lab, host);
  return startSshHost({
    name: host,
    hostKey: secrets.hostKeys[host],
    authorizedKeys: [secrets.clientPublicKey],
    user: loginOf(host),
    home: labPaths(lab.dir).home(host),
    env: hostEnvironment(lab, host),
    ...(account === undefined ? {} : { uid: account.uid, gid: account.gid }),
    address: loopback,
    port: labPorts(lab.record.basePort).ssh[host],
  });
}

function startShop(lab: Lab, secrets: LabSecrets, held: CleanupStack): void {
  const ports = labPorts(lab.record.basePort);
  const supervise = (host: LabHost, program: LabProgram, name: string, settings: unknown): void => {
    const home = labPaths(lab.dir).home(host);
    const runAs = { account: accountOf(lab, host), env: hostEnvironment(lab, host), cwd: home };
    held.use(superviseService({ name: host, entry: entryPoint(program), ...runAs, logFile: join(home, `${name}.log`), settings }, log));
  };
  openLinks(lab, held);
  for (const host of serviceHosts) {
    supervise(host, 'lab/checkout-service', 'checkout', {
      name: host,
      port: ports.checkout[host],
      pidFile: join(labPaths(lab.dir).home(host), 'run', 'checkout.pid'),
      budgetMs: 1_000,
      orders: {
        nodes: databaseHosts.map((name) => ({ name, address: loopback, port: ports.link(`${host}>${name}`) })),
        database: databaseName,
        user: databaseUsers.shop,
        password: secrets.passwords.shop,
        connections: 8,
      },
    } satisfies CheckoutSettings);
  }
  supervise('lb', 'lab/load-balancer', 'load-balancer', {
    port: ports.shop,
    pidFile: join(labPaths(lab.dir).home('lb'), 'run', 'load-balancer.pid'),
    backends: serviceHosts.map((name) => ({ name, address: loopback, port: ports.link(`lb>${name}`) })),
  } satisfies BalancerSettings);
}

function openLinks(lab: Lab, held: CleanupStack): void {
  const ports = labPorts(lab.record.basePort);
  const targets: Readonly<Record<string, number>> = { ...ports.checkout, ...ports.database };
  const networks = new Map(labHosts.map((host) => [host, new HostNetwork(networkFolder(lab, host))]));
  for (const { from, to } of labLinks) {
    const [client, server, target] = [networks.get(from), networks.get(to), targets[to]];
    if (client === undefined || server === undefined || target === undefined) continue;
    // To PostgreSQL each connection is a process and, left idle, a line in its log.
    held.use(new Link({ port: ports.link(`${from}>${to}`), target, client, server, watched: hostGroup(to) !== 'db' }));
  }
}

/** Up means that someone can buy. */
async function awaitFirstOrder(lab: Lab, signal: AbortSignal): Promise<void> {
  let last = 'no answer';
  const attempt = async (): Promise<true | undefined> => {
    try {
      const response = await fetch(shopUrl(lab), { method: 'POST', signal: AbortSignal.any([signal, AbortSignal.timeout(3_000)]) });
      last = `${response.status} ${(await response.text()).trim()}`;
      return response.status === 201 ? true : undefined;
    } catch (error) {
      signal.throwIfAborted();
      last = describeError(error);
      return undefined;
    }
  };
  if ((await poll(systemClock, { interval: 50, within: 15_000 }, attempt, signal)) === undefined) {
    throw new ChaosError('CHAOS_LAB', `the shop does not sell: ${last}`);
  }
}

/** Returns when it is time to go: asked to or the folder is gone, or orphaned: the owner gone for its linger time, and nobody adopted the lab. */
async function watch(dir: string, record: LabRecord, stop: AbortSignal): Promise<'asked' | 'orphaned'> {
  let goneSince: number | undefined;
  while (!stop.aborted) {
    if (readRecord(dir) === undefined) return 'asked';
    noteSegments(dir);
    if (record.owner !== undefined && !existsSync(labPaths(dir).adopted) && !isAlive(record.owner)) {
      goneSince ??= systemClock.monotonic();
      if (systemClock.monotonic() - goneSince >= record.owner.lingerMs) return 'orphaned';
    } else {
      goneSince = undefined;
    }
    await systemClock.sleep(tickMs, stop).catch(() => undefined);
  }
  return 'asked';
}

/** Anywhere in the chain of causes; PostgreSQL says it in words. */
function isPortTaken(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE' || /EADDRINUSE|Address already in use/.test(error.message)) return true;
  return isPortTaken(error.cause);
}

const [, , command, dir] = process.argv;
if (command !== 'keeper' || dir === undefined) {
  process.exitCode = 2;
} else {
  keep(dir).then(
    () => process.exit(0),
    (error: unknown) => {
      log(`fatal: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
      process.exit(1);
    },
  );
}
