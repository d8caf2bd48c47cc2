/**
 * Network faults by the queueing disciplines of the kernel. What leaves goes through a prio qdisc with a fourth band that only the filters
 * below fill, so everything else keeps its way; what arrives is turned over an ifb device. A root qdisc that somebody configured is refused:
 * the kernel's default (handle 0:) comes back by itself when ours is deleted.
 */
import type { HostScripts } from '../host-fault/contract.ts';
import { denied, hasIngress, kernelHas, takesWords } from './ask-tc.ts';
import type { Traffic } from './schema.ts';
import { lookTraffic, neighbourTypes, seeTraffic } from './traffic.ts';

/** What stands behind `tc qdisc add dev X parent Y`, and how its effect is told from the evidence of the ping. */
export interface Discipline {
  readonly kind: 'netem' | 'tbf';
  readonly options: string;
  /** Further shell of verify; `$during` is the round trip in ms or empty, `@rtt@` the one before. */
  readonly judge?: string;
}

const root = 'c4a0:';
const own = 'c4a1:';
const protocolNumbers = { tcp: 6, udp: 17 } as const;

export function tcScripts(traffic: Traffic, discipline: Discipline, id: string): HostScripts {
  const ifb = `c-@run@${id.replace(/^@run@-s/, '-')}`;
  const [out, arriving] = [traffic.direction !== 'in', traffic.direction !== 'out'];
  return {
    look: [lookTools(discipline), lookTraffic(traffic), lookQdisc(out, arriving)].join('\n'),
    inject: ['set -e', ...(out ? [leaving(traffic, discipline)] : []), ...(arriving ? [arrivingText(traffic, discipline, ifb)] : [])].join(
      '\n',
    ),
    verify: verify(discipline, out ? '@dev@' : ifb),
    undo: undo(out, arriving ? ifb : undefined),
    check: check(out, arriving ? ifb : undefined),
  };
}

/** First of all: what `chaos doctor` asks as well. */
function lookTools({ kind, options }: Discipline): string {
  return `need tc iproute2
${takesWords({ kind, options })}
[ "$why" != denied ] || refuse "${denied}: log in as root, or set become: sudo in the environment"
[ -z "$why" ] || refuse "$why"
${kernelHas({ kind, options })}
[ -z "$why" ] || refuse "$why: install linux-modules-extra-$(uname -r) (Debian, Ubuntu) or kernel-modules-extra (Fedora, RHEL), then modprobe sch_${kind}; network-partition works without it"`;
}

function lookQdisc(out: boolean, arriving: boolean): string {
  const checkRoot = `current=$(tc qdisc show dev "$dev" | sed -n 's/^qdisc \\([^ ]* [^ ]*\\) root.*/\\1/p' | head -n 1)
case $current in
  *' 0:') ;;
  *) refuse "$dev has a queueing discipline of its own ($current), which could not be given back" ;;
esac
save qdisc "\${current% *}"`;
  const checkIngress = `${hasIngress}
[ -z "$why" ] || refuse "$why: use direction: out"
tc qdisc show dev "$dev" | grep -q '^qdisc \\(ingress\\|clsact\\)' && refuse "$dev has an ingress qdisc already, which could not be given back"
said=$(unshare -n ip link add c-probe type ifb 2>&1) || case $said in *nknown*|*not\\ supported*) refuse "this kernel has no ifb device (module ifb): use direction: out" ;; esac`;
  return `${out ? checkRoot : 'save qdisc none'}
${arriving ? checkIngress : ''}`;
}

function leaving(traffic: Traffic, { kind, options }: Discipline): string {
  return `tc qdisc add dev @dev@ root handle ${root} prio bands 4 priomap 1 2 2 2 1 2 0 0 1 1 1 1 1 1 1 1
tc qdisc add dev @dev@ parent ${root}4 handle ${own} ${kind} ${options}
add() { family=$1; shift; tc filter add dev @dev@ parent ${root} protocol "$family" "$@"; }
add ip pref 10 u32 match ip protocol 6 0xff match ip sport @control@ 0xffff flowid ${root}1
add ipv6 pref 11 u32 match ip6 protocol 6 0xff match ip6 sport @control@ 0xffff flowid ${root}1
${neighbourTypes.map((type) => `add ipv6 pref 12 u32 match ip6 protocol 58 0xff match u8 ${type} 0xff at 40 flowid ${root}1`).join('\n')}
${selectPeers(traffic, { peer: 'dst', remote: 'dport', local: 'sport', to: `flowid ${root}4` })}`;
}

function arrivingText(traffic: Traffic, { kind, options }: Discipline, ifb: string): string {
  return `ip link add ${ifb} type ifb
ip link set dev ${ifb} up
tc qdisc add dev ${ifb} root handle ${own} ${kind} ${options}
tc qdisc add dev @dev@ handle ffff: ingress
add() { family=$1; shift; tc filter add dev @dev@ parent ffff: protocol "$family" "$@"; }
add ip pref 10 u32 match ip protocol 6 0xff match ip dport @control@ 0xffff action pass
add ipv6 pref 11 u32 match ip6 protocol 6 0xff match ip6 dport @control@ 0xffff action pass
${neighbourTypes.map((type) => `add ipv6 pref 12 u32 match ip6 protocol 58 0xff match u8 ${type} 0xff at 40 action pass`).join('\n')}
${selectPeers(traffic, { peer: 'src', remote: 'sport', local: 'dport', to: `action mirred egress redirect dev ${ifb}` })}`;
}

interface Side {
  readonly peer: 'src' | 'dst';
  readonly remote: 'sport' | 'dport';
  readonly local: 'sport' | 'dport';
  readonly to: string;
}

/** One filter for each peer and pair of ports. */
function selectPeers({ ports = [], localPorts = [], protocol }: Traffic, { peer, remote, local, to }: Side): string {
  const pairs = (ports.length === 0 ? [0] : ports).flatMap((port) =>
    (localPorts.length === 0 ? [0] : localPorts).map((own) => `${port}:${own}`),
  );
  const numbers =
    protocol === 'any'
      ? ['', '']
      : protocol === 'icmp'
        ? ['1', '58']
        : [String(protocolNumbers[protocol]), String(protocolNumbers[protocol])];
  return `select_peer() {
  for pair in ${pairs.join(' ')}; do
    words=$3
    [ "\${pair%:*}" = 0 ] || words="$words match $2 ${remote} \${pair%:*} 0xffff"
    [ "\${pair#*:}" = 0 ] || words="$words match $2 ${local} \${pair#*:} 0xffff"
    [ -z "$4" ] || words="$words match $2 protocol $4 0xff"
    add "$1" pref $5 u32 $words ${to}
  done
}
peers=@peers@
if [ -z "$peers" ]; then
  select_peer ip ip 'match u32 0 0' '${numbers[0]}' 30
  select_peer ipv6 ip6 'match u32 0 0' '${numbers[1]}' 31
fi
for peer in $(echo "$peers" | tr + ' '); do
  case $peer in
    *:*) select_peer ipv6 ip6 "match ip6 ${peer} $peer" '${numbers[1]}' 31 ;;
    *) select_peer ip ip "match ip ${peer} $peer" '${numbers[0]}' 30 ;;
  esac
done`;
}

function verify({ kind, judge = '' }: Discipline, dev: string): string {
  return `line=$(tc qdisc show dev ${dev} | grep '^qdisc ${kind} ${own}') || { echo 'no ${kind} on ${dev}'; exit 3; }
echo "${dev}: $line"
packets() { tc -s qdisc show dev ${dev} | awk '/^qdisc ${kind} ${own}/ { getline; n = $4 + $7 } END { print n + 0 }'; }
${seeTraffic}
${judge}`;
}

function undo(out: boolean, ifb: string | undefined): string {
  const ours = `if tc qdisc show dev @dev@ 2>/dev/null | grep -q '^qdisc prio ${root} root'; then tc qdisc del dev @dev@ root; fi`;
  // The device is named after the run, so the ingress qdisc beside it is ours as well.
  const turned = `if ip link show dev ${ifb} >/dev/null 2>&1; then
  tc qdisc del dev @dev@ ingress 2>/dev/null
  ip link del ${ifb}
fi`;
  return [...(out ? [ours] : []), ...(ifb === undefined ? [] : [turned])].join('\n');
}

function check(out: boolean, ifb: string | undefined): string {
  const qdisc = `if ip link show dev @dev@ >/dev/null 2>&1; then
  current=$(tc qdisc show dev @dev@ | sed -n 's/^qdisc \\([^ ]* [^ ]*\\) root.*/\\1/p' | head -n 1)
  echo "@dev@: qdisc $current, @qdisc@ before"
  case $current in '@qdisc@ 0:') ;; *) exit 3 ;; esac
else
  echo 'there is no @dev@ any more'
fi`;
  const turned = `if ip link show dev ${ifb} >/dev/null 2>&1; then echo '${ifb} is still there'; exit 3; fi
if tc qdisc show dev @dev@ 2>/dev/null | grep -q '^qdisc ingress'; then echo '@dev@ still has an ingress qdisc'; exit 3; fi
echo '@dev@: no ingress qdisc, as before'`;
  return [...(out ? [qdisc] : []), ...(ifb === undefined ? [] : [turned])].join('\n');
}
