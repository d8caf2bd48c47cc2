/** The shell texts of this fault: a table of its own (nft), or chains of its own (iptables), so that undoing touches nobody else's rules. */
import type { FaultMistake, FaultRequest } from '../contract.ts';
import type { HostScriptRequest, HostScripts } from '../host-fault/contract.ts';
import { iptablesTexts } from '../network/iptables.ts';
import { nftTexts } from '../network/nft.ts';
import { lookTraffic, seeTraffic, trafficMistakes } from '../network/traffic.ts';
import type { NetworkPartitionParameters } from './schema.ts';

const lookRoot = `[ "$(id -u)" = 0 ] || refuse 'needs root: log in as root, or set become: sudo in the environment'`;

/** In networks of their own, which are gone with the command: the kernel is asked without touching anything. */
const look = `firewall=none why=
if have nft; then
  why=$(unshare -n nft add table inet probe 2>&1) && firewall=nft
fi
if [ $firewall = none ] && have iptables; then
  why=$(unshare -n iptables -w 5 -nL 2>&1) && firewall=iptables
fi
[ $firewall != none ] || refuse "neither nft nor iptables works here (packages nftables, iptables): \${why:-not installed}"
save firewall $firewall`;

export function scripts({ parameters, id }: HostScriptRequest<NetworkPartitionParameters>): HostScripts {
  const [nft, iptables] = [nftTexts(parameters, id), iptablesTexts(parameters, id)];
  const either = (part: 'inject' | 'packets' | 'undo' | 'check'): string => `case @firewall@ in
nft)
${nft[part]}
;;
iptables)
${iptables[part]}
;;
esac`;
  return {
    look: `${lookRoot}\n${lookTraffic(parameters)}\n${look}`,
    inject: `set -e\n${either('inject')}`,
    verify: `${either('packets')}\n${seeTraffic}`,
    undo: either('undo'),
    check: either('check'),
  };
}

export function mistakes({ parameters }: FaultRequest<NetworkPartitionParameters>): readonly FaultMistake[] {
  return trafficMistakes(parameters);
}
