/**
 * Real hosts for the system tests, on a network of their own: `h1`, `h2`, … with a kernel, systemd and netem each; `n1`, `n2`, … with systemd
 * and iptables on this machine's kernel. The program under test runs inside that network and reaches nothing else.
 */
import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const here = import.meta.dirname;
const program = join(here, '../../../dist/bin.js');
const run = promisify(execFile);

/** Answers every question for an IPv4 address with the gateway's, and every other with nothing. */
const nameServer = `
const socket = require('dgram').createSocket('udp4');
socket.on('message', (query, from) => {
  let end = 12;
  while (query[end] !== 0) end += query[end] + 1;
  const question = query.subarray(12, end + 5);
  const address = query.readUInt16BE(end + 1) === 1;
  const head = Buffer.from([query[0], query[1], 0x81, 0x80, 0, 1, 0, address ? 1 : 0, 0, 0, 0, 0]);
  const answer = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, 10, 77, 0, 1]);
  socket.send(Buffer.concat(address ? [head, question, answer] : [head, question]), from.port, from.address);
});
socket.bind(53, '10.77.0.1');
`;

/** Why there can be no test hosts here; `undefined` when there can. */
export const unavailable: string | undefined = reasonAgainst();

function reasonAgainst(): string | undefined {
  if (process.platform !== 'linux') return 'test hosts need Linux';
  if (process.getuid?.() !== 0) return 'test hosts need root';
  const missing = ['mmdebstrap', 'ip', 'ping', 'systemd-nspawn', 'ssh'].filter((tool) => spawnSync('which', [tool]).status !== 0);
  return missing.length === 0 ? undefined : `test hosts need ${missing.join(', ')} (test/system/testbed/install.sh)`;
}

export interface TestHost {
  readonly name: string;
  readonly address: string;
  readonly kind: 'uml' | 'ns';
  readonly n: number;
}

export interface Finished {
  readonly code: number | null;
  readonly out: string;
}

/** A runner that is under way. */
export interface Runner {
  readonly child: ChildProcess;
  /** All it has said so far. */
  said(): string;
  /** Resolves when it has said something that matches; rejects when it ends first or after 60 s. */
  until(pattern: RegExp): Promise<void>;
  readonly finished: Promise<Finished>;
}

export class Testbed implements AsyncDisposable {
  readonly hosts: readonly TestHost[];
  /** A project folder with an environment `bed` of all hosts; journals and reports go there. */
  readonly project: string;
  readonly #lan: string;
  readonly #images: string;
  readonly #children = new Set<ChildProcess>();

  private constructor(lan: string, images: string, hosts: readonly TestHost[]) {
    this.#lan = lan;
    this.#images = images;
    this.hosts = hosts;
    this.project = mkdtempSync(join(tmpdir(), `${lan}-`));
  }

  /** Up to 9 hosts of each kind; logged in to when it resolves. */
  static async start({ uml = 0, ns = 0 }: { readonly uml?: number; readonly ns?: number }): Promise<Testbed> {
    const { stdout } = await run('bash', [join(here, 'images.sh')], { maxBuffer: 64 * 1024 * 1024 });
    const hosts = [
      ...Array.from(
        { length: uml },
        (_, index) => ({ name: `h${index + 1}`, address: `10.77.0.${11 + index}`, kind: 'uml', n: index + 1 }) as const,
      ),
      ...Array.from(
        { length: ns },
        (_, index) => ({ name: `n${index + 1}`, address: `10.77.0.${101 + index}`, kind: 'ns', n: index + 1 }) as const,
      ),
    ];
    const bed = new Testbed(`cb${process.pid}`, stdout.trim(), hosts);
    try {
      await bed.#host('lan', 'up');
      for (const host of hosts) await bed.#host(host.kind, 'start', host);
      bed.#writeProject();
      bed.#spawn(process.execPath, ['-e', nameServer]);
      bed.#spawn(process.execPath, ['-e', "require('http').createServer((q, s) => s.end('ok')).listen(8080, '10.77.0.1')"]);
      await Promise.all(hosts.map((host) => bed.reachable(host.name)));
      return bed;
    } catch (error) {
      await bed[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Runs `command` on a host as root, past the program under test. */
  async ssh(name: string, command: string, login = 'root'): Promise<Finished> {
    const { address } = this.#find(name);
    const options = [
      'StrictHostKeyChecking=yes',
      `UserKnownHostsFile=${join(this.project, 'known_hosts')}`,
      'LogLevel=ERROR',
      'ConnectTimeout=5',
      'KexAlgorithms=curve25519-sha256',
    ];
    const args = [
      '-F',
      'none',
      '-i',
      join(this.#images, 'id'),
      ...options.flatMap((option) => ['-o', option]),
      `${login}@${address}`,
      command,
    ];
    return this.inside('timeout', ['60', 'ssh', ...args]);
  }

  async reachable(name: string): Promise<void> {
    for (let tries = 0; (await this.ssh(name, 'true')).code !== 0; tries++) {
      if (tries > 60)
        throw new Error(
          `${name} cannot be logged in to: ${readFileSync(join(this.#dir(this.#find(name)), 'console'), 'utf8').slice(-500)}`,
        );
      await sleep(500);
    }
  }

  /** Runs a command of this machine inside the hosts' network. */
  async inside(command: string, args: readonly string[]): Promise<Finished> {
    try {
      const { stdout } = await run('ip', ['netns', 'exec', this.#lan, command, ...args], { maxBuffer: 16 * 1024 * 1024 });
      return { code: 0, out: stdout };
    } catch (error) {
      const { code, stdout } = error as { readonly code?: number; readonly stdout?: string };
      return { code: code ?? null, out: stdout ?? '' };
    }
  }

  /** Average round trip in ms as seen from outside; `undefined` when nothing comes back. */
  async ping(name: string, address = this.#find(name).address): Promise<number | undefined> {
    const { out } = await this.inside('ping', ['-n', '-c', '5', '-i', '0.2', '-W', '1', address]);
    const average = /= [\d.]+\/([\d.]+)\//.exec(out)?.[1];
    return average === undefined ? undefined : Number(average);
  }

  /** All that `ping` says of `count` pings, one every `interval` seconds. */
  pings(name: string, count: number, interval: number): Promise<Finished> {
    // A corrupted time stamp makes ping wait for ever: it lingers for twice the longest round trip that it believes in.
    const limit = String(Math.ceil(count * interval) + 3);
    const ping = ['ping', '-n', '-c', String(count), '-i', String(interval), '-W', '1', this.#find(name).address];
    return this.inside('timeout', ['-s', 'INT', limit, ...ping]);
  }

  /** All that a port of the host sends before it closes. */
  async download(name: string, port: number): Promise<{ readonly bytes: number; readonly seconds: number }> {
    const from = performance.now();
    const { out } = await this.inside('timeout', ['30', 'bash', '-c', `cat </dev/tcp/${this.#find(name).address}/${port} | wc -c`]);
    return { bytes: Number(out), seconds: (performance.now() - from) / 1_000 };
  }

  /** Does its demo service answer on port 8080? */
  async serves(name: string): Promise<boolean> {
    const get = `fetch('http://${this.#find(name).address}:8080', { signal: AbortSignal.timeout(1500) }).catch(() => process.exit(1))`;
    return (await this.inside(process.execPath, ['-e', get])).code === 0;
  }

  /** Drops everything between the host and the rest, both ways, without a word. */
  cut(name: string): Promise<Finished> {
    return this.inside('ip', ['link', 'set', this.#port(name), 'nomaster']);
  }

  heal(name: string): Promise<Finished> {
    return this.inside('ip', ['link', 'set', this.#port(name), 'master', 'br0']);
  }

  /** The power button: what the host had not written to disk is lost. */
  async powerFail(name: string): Promise<void> {
    await this.#host('uml', 'stop', this.#find(name));
  }

  /** Resolves when the host has ended by itself: a kernel that restarts does, see host.sh. */
  async switchedOff(name: string): Promise<void> {
    const pid = Number(readFileSync(join(this.#dir(this.#find(name)), 'pid'), 'utf8'));
    for (let waited = 0; existsSync(`/proc/${pid}`); waited += 100) {
      if (waited > 60_000) throw new Error(`${name} still runs`);
      await sleep(100);
    }
    await this.powerFail(name);
  }

  async powerOn(name: string): Promise<void> {
    await this.#host('uml', 'start', this.#find(name));
    await this.reachable(name);
  }

  /** Starts the program under test in the hosts' network. */
  chaos(...args: readonly string[]): Runner {
    const child = this.#spawn(process.execPath, [program, ...args]);
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => (said += chunk.toString()));
    const finished = new Promise<Finished>((resolve) => child.once('close', (code) => resolve({ code, out: said })));
    const until = async (pattern: RegExp): Promise<void> => {
      for (let waited = 0; !pattern.test(said); waited += 20) {
        if (child.exitCode !== null || child.signalCode !== null || waited > 60_000) throw new Error(`never said ${pattern}:\n${said}`);
        await sleep(20);
      }
    };
    return { child, said: () => said, until, finished };
  }

  /** Writes an experiment with one fault, held for `duration`; `none`: it takes no duration. `baseline`: longer where many run at once. */
  experiment(name: string, fault: string, on: object, parameters: object, duration = '60s', baseline = '1s'): void {
    const text = {
      apiVersion: 'chaos/v1',
      kind: 'Experiment',
      name,
      title: name,
      owner: 'tests',
      hypothesis: 'The rest of the network does not notice.',
      steadyState: { baseline, slos: ['web-errors'], recovery: { within: '20s', hold: '1s' } },
      method: [{ fault, on, with: parameters, ...(duration === 'none' ? {} : { duration }) }],
      limits: { maxTargets: 20, maxShare: '100%', maxDuration: '5m' },
    };
    writeFileSync(join(this.project, 'experiments', `${name}.yaml`), JSON.stringify(text));
  }

  /** The run ids of all journals so far. */
  runs(): string[] {
    const reports = join(this.project, 'reports');
    return existsSync(reports) ? readdirSync(reports).map((name) => name.slice(-6)) : [];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#children) child.kill('SIGKILL');
    for (const host of this.hosts) await this.#host(host.kind, 'stop', host).catch(() => undefined);
    await this.#host('lan', 'down').catch(() => undefined);
    rmSync(this.project, { recursive: true, force: true });
  }

  #writeProject(): void {
    const key = readFileSync(join(this.#images, 'host.pub'), 'utf8').trim();
    writeFileSync(join(this.project, 'known_hosts'), this.hosts.map(({ address }) => `${address} ${key}\n`).join(''));
    mkdirSync(join(this.project, 'experiments/environments'), { recursive: true });
    const environment = (name: string, ssh: object, hosts = this.hosts, probe: object = { rate: '5/s', timeout: '1s' }) => ({
      apiVersion: 'chaos/v1',
      kind: 'Environment',
      name,
      tier: 'lab',
      ssh: { identityFile: join(this.#images, 'id'), knownHosts: join(this.project, 'known_hosts'), agent: false, ...ssh },
      hosts: Object.fromEntries(hosts.map(({ name: host, address, kind }) => [host, { address, groups: [kind, 'all'] }])),
      probes: { web: { http: { url: 'http://10.77.0.1:8080/', ...probe } } },
      slos: { 'web-errors': { probe: 'web', measure: 'error-rate', window: '5s', fatal: '> 50%' } },
    });
    const write = (made: { readonly name: string }): void =>
      writeFileSync(join(this.project, 'experiments/environments', `${made.name}.yaml`), JSON.stringify(made));
    write(environment('bed', { user: 'root' }));
    // An environment takes one run at a time: two for each host, so that all hosts can have one at once, and one host two, and one for each
    // kind of hosts. Many runners on few cores see each other's load, so their probe is patient.
    for (const host of this.hosts)
      for (const name of ['only', 'also'])
        write(environment(`${name}-${host.name}`, { user: 'root' }, [host], { rate: '5/s', timeout: '10s' }));
    for (const kind of ['uml', 'ns'] as const) {
      const same = this.hosts.filter((host) => host.kind === kind);
      if (same.length > 0) write(environment(`only-${kind}`, { user: 'root' }, same));
    }
    const hosts = this.hosts.map(
      ({ name, address, kind }) => `Host ${name}\n  HostName ${address}\n${kind === 'uml' ? '  ProxyJump n1\n' : ''}`,
    );
    const all = `Host *\n  User ops\n  IdentityFile ${join(this.#images, 'id')}\n  UserKnownHostsFile ${join(this.project, 'known_hosts')}\n`;
    writeFileSync(join(this.project, 'ssh_config'), [...hosts, all].join(''));
    const bare = { ...environment('jump', {}), ssh: { config: '../../ssh_config', become: 'sudo' } };
    const named = { ...bare, hosts: Object.fromEntries(this.hosts.map(({ name, kind }) => [name, { groups: [kind, 'all'] }])) };
    writeFileSync(join(this.project, 'experiments/environments/jump.yaml'), JSON.stringify(named));
    write(environment('sudo', { user: 'ops', become: 'sudo' }));
    write(environment('nosudo', { user: 'guest', become: 'sudo' }));
  }

  #spawn(command: string, args: readonly string[]): ChildProcess {
    const child = spawn('ip', ['netns', 'exec', this.#lan, command, ...args], {
      cwd: this.project,
      env: { ...process.env, HOME: this.project, NO_COLOR: '1' },
    });
    this.#children.add(child);
    child.once('exit', () => this.#children.delete(child));
    return child;
  }

  #find(name: string): TestHost {
    const host = this.hosts.find((candidate) => candidate.name === name);
    if (host === undefined) throw new Error(`no host ${name}`);
    return host;
  }

  #port(name: string): string {
    const { kind, n } = this.#find(name);
    return kind === 'uml' ? `t${n}` : `v${n}`;
  }

  #dir({ name }: TestHost): string {
    return join(this.project, name);
  }

  async #host(kind: string, verb: string, host?: TestHost): Promise<void> {
    const args = host === undefined ? [] : [String(host.n), this.#images, this.#dir(host)];
    // The hosts outlive the script, so it must not be waited for through their output.
    const child = spawn('bash', [join(here, 'host.sh'), kind, verb, this.#lan, ...args], { stdio: ['ignore', 'ignore', 'inherit'] });
    const [code] = await new Promise<[number | null]>((resolve) => child.once('exit', (status) => resolve([status])));
    if (code !== 0) throw new Error(`host.sh ${kind} ${verb} ${host?.name ?? ''}: exit ${code}`);
  }
}
