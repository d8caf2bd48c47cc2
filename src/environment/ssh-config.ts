/**
 * Hosts as the operator's own `ssh NAME` reaches them: `ssh -G` is asked, so Include, Match and tokens mean here what they mean there. What the
 * environment file says wins; nothing is connected to.
 */
import { execFile } from 'node:child_process';
import { setMaxListeners } from 'node:events';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import { ChaosError } from '../core/errors.ts';
import { mapLimit } from '../core/limit.ts';
import type { PlannedHost } from '../plan/plan.ts';
import { expandProxyCommand } from './proxy-command.ts';
import { absolutePath } from './references.ts';
import type { EnvironmentModel, ExplicitLogin, SshSettings } from './resolve.ts';
import { expandFile } from './ssh-tokens.ts';

type Jump = PlannedHost['jumps'][number];
/** Keywords in lower case, each with its values in order. */
type Answer = ReadonlyMap<string, readonly string[]>;

const run = promisify(execFile);
/** `ssh -G` takes 8 ms. */
const asksAtOnce = 16;
const answerWithinMs = 10_000;
const mostJumps = 8;

/** The environment with its hosts as ssh would reach them. Rejects with `CHAOS_REFUSED` for what cannot be done here. */
export async function reachAsSsh(environment: EnvironmentModel, signal: AbortSignal): Promise<EnvironmentModel> {
  const { ssh } = environment;
  if (ssh === undefined) return environment;
  // So many ask at once that Node would take it for a leak, and say so on the terminal.
  setMaxListeners(0, signal);
  const reach = async (host: PlannedHost): Promise<PlannedHost> => {
    // A reference is looked up when it is used; ssh could not know it either.
    if (`${host.address}${host.user}`.includes('${')) return host;
    const explicit = ssh.explicit[host.id] ?? {};
    const answer = await ask(host.id, ssh, explicit, signal);
    if (answer === undefined) return host;
    const reached = login(host.id, answer, explicit, host);
    return {
      ...host,
      ...reached,
      ...proxyOf(reached, answer),
      jumps: await jumpsOf(host.id, answer, { ...ssh, passphrase: host.passphrase }, signal),
    };
  };
  return { ...environment, hosts: await mapLimit(environment.hosts, asksAtOnce, reach, signal) };
}

/** `undefined` when there is no ssh to ask and none was asked for by name. */
async function ask(name: string, { config }: SshSettings, explicit: ExplicitLogin, signal: AbortSignal): Promise<Answer | undefined> {
  const args = [
    '-G',
    ...(config === undefined ? [] : ['-F', config]),
    ...(explicit.address === undefined ? [] : ['-o', `HostName=${explicit.address}`]),
    ...(explicit.port === undefined ? [] : ['-p', String(explicit.port)]),
    ...(explicit.user === undefined ? [] : ['-l', explicit.user]),
    '--',
    name,
  ];
  try {
    const { stdout } = await run('ssh', args, { signal, timeout: answerWithinMs });
    return parse(stdout);
  } catch (cause) {
    signal.throwIfAborted();
    const { code, stderr = '' } = cause as { readonly code?: string | number; readonly stderr?: string };
    if (code === 'ENOENT' && config === undefined) return undefined;
    const why = code === 'ENOENT' ? 'there is no ssh on this machine' : stderr.trim().split('\n').at(-1);
    throw new ChaosError('CHAOS_REFUSED', `how ${name} is reached cannot be read from the SSH configuration: ${why ?? 'ssh -G failed'}`, {
      target: name,
      hint: `ssh -G ${name} has to work, or set ssh.config: none in the environment file`,
      cause,
    });
  }
}

/** To be put beside a {@link login}. */
function proxyOf({ id, address, port, user }: Jump, answer: Answer): Pick<Jump, 'proxyCommand'> {
  const command = answer.get('proxycommand')?.at(0);
  if (command === undefined || command === 'none') return {};
  if (answer.get('proxyusefdpass')?.at(0) === 'yes')
    throw new ChaosError('CHAOS_REFUSED', `${id} is reached by a ProxyCommand with ProxyUseFdpass, which is not done here`, {
      target: id,
      hint: 'set ProxyUseFdpass no with a command that relays by itself (nc without -F)',
    });
  return { proxyCommand: expandProxyCommand(command, { name: id, address, port, user }) };
}

function parse(text: string): Answer {
  const answer = new Map<string, string[]>();
  for (const line of text.split('\n')) {
    const blank = line.indexOf(' ');
    if (blank > 0) answer.set(line.slice(0, blank), [...(answer.get(line.slice(0, blank)) ?? []), line.slice(blank + 1)]);
  }
  return answer;
}

function login(name: string, answer: Answer, explicit: ExplicitLogin, base?: PlannedHost): Jump {
  const one = (keyword: string): string | undefined => answer.get(keyword)?.at(0);
  const agent = one('identityagent');
  const alias = one('hostkeyalias');
  const address = one('hostname') ?? name;
  const port = Number(one('port') ?? 22);
  const user = one('user') ?? base?.user ?? '';
  const keyName = alias === undefined || alias === 'none' ? address : alias;
  const expand = (file: string): string => expandFile(file, { name, address, port, user, keyName });
  const certificates = (answer.get('certificatefile') ?? []).filter((file) => file !== 'none').map(expand);
  const own = [...paths(one('userknownhostsfile')), ...paths(one('globalknownhostsfile'))];
  return {
    id: name,
    driver: 'ssh',
    address,
    port,
    user,
    identityFiles: explicit.identityFile !== undefined && base !== undefined ? base.identityFiles : identityFiles(answer, expand),
    ...(certificates.length === 0 ? {} : { certificateFiles: certificates }),
    ...(one('identitiesonly') === 'yes' ? { identitiesOnly: true } : {}),
    agent: explicit.agent ?? agent !== 'none',
    ...(agent === undefined || agent === 'none' || agent === 'SSH_AUTH_SOCK' ? {} : { agentSocket: expand(agent) }),
    knownHostsFiles: explicit.knownHosts !== undefined && base !== undefined ? base.knownHostsFiles : own,
    ...(alias === undefined || alias === 'none' ? {} : { hostKeyAlias: alias }),
  };
}

/** ssh names its default keys whether they are there or not; of one that an agent holds only the public half may be there. */
function identityFiles(answer: Answer, expand: (file: string) => string): string[] {
  return (answer.get('identityfile') ?? []).map(expand).filter((file) => existsSync(file) || existsSync(`${file}.pub`));
}

function paths(value: string | undefined): string[] {
  return value === undefined || value === 'none' ? [] : value.split(/\s+/).map((file) => absolutePath(file, '/'));
}

async function jumpsOf(name: string, answer: Answer, ssh: JumpSettings, signal: AbortSignal, depth = 1): Promise<Jump[]> {
  const written = answer.get('proxyjump')?.at(0);
  if (written === undefined || written === 'none') return [];
  const hops = written.split(',');
  // Also where two hosts name each other.
  if (hops.length > mostJumps || depth > mostJumps)
    throw new ChaosError('CHAOS_REFUSED', `${name} is behind more than ${mostJumps} jump hosts`, { target: name });
  const { passphrase } = ssh;
  const jumps: Jump[] = [];
  for (const [index, hop] of hops.entries()) {
    const { user, host, port } = parseHop(hop);
    const own = await ask(host, ssh, { user, port }, signal);
    if (own === undefined) continue;
    const reached = login(host, own, {});
    // As ssh does it: only the first may have a way of its own, by jump hosts or by a command.
    if (index === 0 && own.get('proxyjump')?.at(0) !== written) jumps.push(...(await jumpsOf(host, own, ssh, signal, depth + 1)));
    jumps.push({ ...reached, ...(index === 0 ? proxyOf(reached, own) : {}), ...(passphrase === undefined ? {} : { passphrase }) });
  }
  return jumps;
}

type JumpSettings = SshSettings & { readonly passphrase: string | undefined };

/** `[user@]host[:port]` or `ssh://[user@]host[:port]`, IPv6 in brackets. */
function parseHop(text: string): { readonly user: string | undefined; readonly host: string; readonly port: number | undefined } {
  const match = /^(?:ssh:\/\/)?(?:([^@]+)@)?(?:\[([^\]]+)\]|([^:]+))(?::(\d+))?\/?$/.exec(text);
  if (match === null) throw new ChaosError('CHAOS_REFUSED', `the jump host ${JSON.stringify(text)} cannot be read`);
  const [, user, bracketed, plain, port] = match;
  return { user, host: bracketed ?? plain ?? text, port: port === undefined ? undefined : Number(port) };
}
