/** Sentences for connections that could not be opened: what happened, and the command that mends it. */
import { assertNever } from '../../core/assert-never.ts';
import { ChaosError, describeError, type ErrorFacts } from '../../core/errors.ts';
import type { JumpAddress } from '../contract.ts';
import { forgetKey, learnKey, sshCommand, type WayTo } from './by-hand.ts';
import { doubtsAbout } from './certificate.ts';
import type { HandshakeFailure } from './connection.ts';
import type { Identities } from './identities.ts';
import { fingerprint, keyType } from './known-hosts.ts';
import type { ProxyCommand } from './proxy-command.ts';

export function explainFailure(way: WayTo, failure: HandshakeFailure, identities: Identities, proxy?: ProxyCommand): ChaosError {
  const { host } = way;
  if (proxy !== undefined && (failure.stage === 'timeout' || failure.stage === 'connect')) return explainProxy(host, failure, proxy);
  switch (failure.stage) {
    case 'host-key':
      return explainHostKey(way, failure);
    case 'auth':
      return explainAuth(way, failure, identities);
    case 'timeout':
      return new ChaosError('CHAOS_SSH_CONNECT', `${place(host)} gave no answer within 15 s`, {
        target: host.id,
        hint: `Is the host up, and does a firewall drop the packets?  ${sshCommand(way)} true`,
      });
    case 'connect':
      return new ChaosError('CHAOS_SSH_CONNECT', `no SSH connection to ${place(host)}: ${describeError(failure.error)}`, {
        target: host.id,
        hint: connectHint(way, failure.error),
        cause: failure.error,
      });
    default:
      return assertNever(failure.stage);
  }
}

function explainProxy(host: JumpAddress, { stage, error }: HandshakeFailure, proxy: ProxyCommand): ChaosError {
  const said = proxy.said();
  const what = stage === 'timeout' ? 'there was no answer within 15 s' : describeError(error);
  const summary = `no SSH connection to ${place(host)}: ${what}; the ProxyCommand is ${proxy.command}${said === '' ? '' : `, which ${said}`}`;
  return new ChaosError('CHAOS_SSH_CONNECT', summary, {
    target: host.id,
    hint: `Does it print a line that begins with SSH-2.0 by hand?  ${proxy.command}`,
    cause: error,
  });
}

function explainAuth(way: WayTo, failure: HandshakeFailure, identities: Identities): ChaosError {
  const { host } = way;
  const doubts = identities.certified.flatMap(({ certificate, where }) =>
    doubtsAbout(certificate, host.user, Date.now()).map((doubt) => `the certificate ${where} ${doubt}`),
  );
  const agent = failure.agentTrouble === undefined ? [] : [`the agent did not help: ${failure.agentTrouble}`];
  const summary = `${place(host)} refused every key for user ${host.user}; offered: ${identities.offered.join(', ')}`;
  return new ChaosError('CHAOS_SSH_AUTH', [summary, ...doubts, ...identities.skipped, ...agent].join('; '), {
    target: host.id,
    hint: authHint(way, identities, doubts.length > 0),
    cause: failure.error,
  });
}

function authHint(way: WayTo, { certified }: Identities, doubtful: boolean): string {
  const { host } = way;
  const byHand = `${sshCommand(way)} true`;
  const [first] = certified;
  if (first === undefined) return `Is the public half in ~${host.user}/.ssh/authorized_keys there, and the user right?  ${byHand}`;
  const { authority } = first.certificate;
  return doubtful
    ? `Get a new certificate that is valid now and names ${host.user} (or a principal that the host allows for ${host.user}), then:  ${byHand}`
    : `Does sshd there trust the authority ${fingerprint(authority)} (TrustedUserCAKeys), and is the user right?  ${byHand}`;
}

function explainHostKey(way: WayTo, failure: HandshakeFailure): ChaosError {
  const { host } = way;
  const refuse = (summary: string, facts: Omit<ErrorFacts, 'target'>): ChaosError =>
    new ChaosError('CHAOS_SSH_HOST_KEY', summary, { target: host.id, ...facts });
  if (failure.refused === undefined) {
    const summary = `${place(host)} offers no host key of the types it is known by, or none that is supported`;
    return refuse(summary, { hint: `If its keys were renewed:  ${forgetKey(host)} && ${learnKey(way)}`, cause: failure.error });
  }
  const { key, answer } = failure.refused;
  const seen = `${keyType(key)} ${fingerprint(key)}`;
  switch (answer.kind) {
    case 'unknown':
    case 'known':
      return refuse(`the host key of ${place(host)} is not known; it shows ${seen}`, {
        hint: `Compare the fingerprint, then:  ${learnKey(way)}`,
      });
    case 'changed': {
      const { file, line } = answer.entry;
      const summary = `the host key of ${place(host)} HAS CHANGED: it shows ${seen}, ${file}:${line} has another key. Someone may be listening in`;
      return refuse(summary, { hint: `Only if you know why it changed:  ${forgetKey(host, answer.entry)} && ${learnKey(way, file)}` });
    }
    case 'revoked':
      return refuse(`the host key of ${place(host)} (${seen}) is marked @revoked in ${answer.entry.file}:${answer.entry.line}`, {
        hint: 'Do not connect. Give the host a new key.',
      });
    case 'authority': {
      const { file, line } = answer.entry;
      return refuse(`${place(host)} is known only by a certificate authority (${file}:${line}); host certificates cannot be checked here`, {
        hint: `Add the host's own key (it shows ${seen}):  ${learnKey(way, file)}`,
      });
    }
    default:
      return assertNever(answer);
  }
}

function connectHint(way: WayTo, error: Error): string {
  const { host } = way;
  const code: string = (error as NodeJS.ErrnoException).code ?? '';
  switch (code) {
    case 'ECONNREFUSED':
      return `Nothing listens on port ${host.port} there. Is sshd running, and the port right?`;
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `The name ${host.address} does not resolve on this machine.`;
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'ETIMEDOUT':
      return 'There is no route to it from this machine. Is a VPN needed?';
    default:
      return `Does the same work by hand?  ${sshCommand(way)} true`;
  }
}

function place(host: JumpAddress): string {
  const where = `${host.address.includes(':') ? `[${host.address}]` : host.address}:${host.port}`;
  return host.id === host.address ? where : `${host.id} (${where})`;
}
