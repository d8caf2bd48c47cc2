/** A partition as chains of its own in iptables and ip6tables, for hosts without nft. */
import type { FirewallTexts, FirewallTraffic } from './firewall.ts';
import { neighbourTypes } from './traffic.ts';

export function iptablesTexts(traffic: FirewallTraffic, id: string): FirewallTexts {
  const hooks = hooksOf(traffic, id);
  const both = `for tables in 'iptables -w 5' 'ip6tables -w 5'; do have "\${tables%% *}" || continue`;
  const eachChain = (text: string): string =>
    hooks.map(({ hook, chain }) => text.replaceAll('HOOK', hook).replaceAll('CHAIN', chain)).join('\n');
  return {
    inject: `${both}
${hooks.map((hook) => chainText(traffic, hook)).join('\n')}
done
# Complete before the first of them is entered.
${both}
${eachChain('  $tables -I HOOK 1 -j CHAIN')}
done`,
    packets: `packets() {
  ${both}
${eachChain('    $tables -nvxL CHAIN 2>/dev/null')}
  done | awk '$3 == "DROP" || $3 == "REJECT" { n += $1 } END { print n + 0 }'
}
iptables -w 5 -nL ${hooks[0]?.chain ?? ''} >/dev/null 2>&1 || { echo 'the chains are not there'; exit 3; }`,
    undo: `${both}
${eachChain('  while $tables -D HOOK -j CHAIN 2>/dev/null; do :; done\n  $tables -F CHAIN 2>/dev/null; $tables -X CHAIN 2>/dev/null')}
done
:`,
    check: `${both}
${eachChain('  if $tables -nL CHAIN >/dev/null 2>&1; then echo "$tables: chain CHAIN is still there"; exit 3; fi')}
done
echo 'no chain of the fault'`,
  };
}

interface Hook {
  readonly hook: string;
  readonly chain: string;
  readonly leaving: boolean;
}

/** Names of chains may have 28 characters. */
function hooksOf({ direction }: FirewallTraffic, id: string): Hook[] {
  const all = [
    { hook: 'OUTPUT', chain: `${id}-o`, leaving: true },
    { hook: 'FORWARD', chain: `${id}-fo`, leaving: true },
    { hook: 'INPUT', chain: `${id}-i`, leaving: false },
    { hook: 'FORWARD', chain: `${id}-fi`, leaving: false },
  ];
  return all.filter(({ leaving }) => (leaving ? direction !== 'in' : direction !== 'out'));
}

function chainText({ ports, localPorts, protocol, how }: FirewallTraffic, { chain, leaving }: Hook): string {
  const [dev, peer, remote, local] = leaving ? ['-o', '-d', 'dports', 'sports'] : ['-i', '-s', 'sports', 'dports'];
  const multi = ports === undefined && localPorts === undefined ? '' : ' -m multiport';
  const match = [
    `${dev} @dev@`,
    ...(protocol === 'any' ? [] : [`-p ${protocol === 'icmp' ? '$icmp' : protocol}`]),
    ...(ports === undefined ? [] : [`${multi} --${remote} ${ports.join(',')}`]),
    ...(localPorts === undefined ? [] : [`${ports === undefined ? multi : ' -m multiport'} --${local} ${localPorts.join(',')}`]),
  ].join(' ');
  const verdict = `-j ${how === 'drop' ? 'DROP' : 'REJECT'}`;
  return `  case $tables in ip6*) icmp=ipv6-icmp ;; *) icmp=icmp ;; esac
  $tables -N ${chain}
  $tables -A ${chain} -p tcp --${leaving ? 'sport' : 'dport'} @control@ -j RETURN
  case $tables in ip6*)
    for type in ${neighbourTypes.join(' ')}; do $tables -A ${chain} -p ipv6-icmp --icmpv6-type $type -j RETURN; done ;;
  esac
  if [ -z "@peers@" ]; then $tables -A ${chain} ${match} ${verdict}; fi
  for peer in $(echo @peers@ | tr + ' '); do
    case $peer in *:*) family=ip6tables ;; *) family=iptables ;; esac
    [ "\${tables%% *}" = $family ] || continue
    $tables -A ${chain} ${peer} $peer ${match} ${verdict}
  done`;
}
