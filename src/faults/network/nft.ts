/** A partition as an nftables table of its own; deleting the table undoes it, whatever else is configured. */
import type { FirewallTexts, FirewallTraffic } from './firewall.ts';
import { neighbourTypes } from './traffic.ts';

export function nftTexts(traffic: FirewallTraffic, id: string): FirewallTexts {
  const table = `inet chaos_${id.replaceAll(/[-.]/g, '_')}`;
  return {
    // One transaction: all of it or nothing.
    inject: `v4= v6=
for peer in $(echo @peers@ | tr + ' '); do
  case $peer in *:*) v6=$v6\${v6:+, }$peer ;; *) v4=$v4\${v4:+, }$peer ;; esac
done
{
  echo 'table ${table} {'
${chains(traffic)
  .map((line) => `  ${line}`)
  .join('\n')}
  echo '}'
} >"$CHAOS_RUN_DIR/rules"
nft -f "$CHAOS_RUN_DIR/rules"`,
    packets: `nft list table ${table} >/dev/null 2>&1 || { echo 'the table is not there'; exit 3; }
packets() { nft list table ${table} | awk '{ for (i = 1; i < NF; i++) if ($i == "packets") n += $(i + 1) } END { print n + 0 }'; }`,
    undo: `if nft list table ${table} >/dev/null 2>&1; then nft delete table ${table}; fi`,
    check: `if nft list table ${table} >/dev/null 2>&1; then echo 'table ${table} is still there'; exit 3; fi
echo 'no table ${table}'`,
  };
}

function chains({ direction, ports, localPorts, protocol, how }: FirewallTraffic): string[] {
  const [out, arriving] = [direction !== 'in', direction !== 'out'];
  const verdict = how === 'drop' ? 'counter drop' : 'counter reject';
  const rules = (peer: 'daddr' | 'saddr', dev: 'oifname' | 'iifname'): string[] => {
    const [remote, local] = peer === 'daddr' ? ['dport', 'sport'] : ['sport', 'dport'];
    const match = [
      `${dev} "@dev@"`,
      ...(protocol === 'any' ? [] : [protocol === 'icmp' ? 'meta l4proto { icmp, ipv6-icmp }' : `meta l4proto ${protocol}`]),
      ...(ports === undefined ? [] : [`th ${remote} { ${ports.join(', ')} }`]),
      ...(localPorts === undefined ? [] : [`th ${local} { ${localPorts.join(', ')} }`]),
    ].join(' ');
    return [
      `rule='${match} ${verdict}'`,
      `[ -n "$v4$v6" ] || echo "$rule"`,
      `[ -z "$v4" ] || echo "ip ${peer} { $v4 } $rule"`,
      `[ -z "$v6" ] || echo "ip6 ${peer} { $v6 } $rule"`,
    ];
  };
  const chain = (name: string, hook: string, exempt: readonly string[], lines: string[]): string[] => [
    `echo 'chain ${name} { type filter hook ${hook} priority -150; policy accept;'`,
    ...exempt.map((match) => `echo '${match} accept'`),
    ...lines,
    `echo '}'`,
  ];
  const neighbours = `icmpv6 type { ${neighbourTypes.join(', ')} }`;
  // Containers and virtual machines of the host are routed, not its own.
  return [
    ...(out ? chain('leaving', 'output', ['tcp sport @control@', neighbours], rules('daddr', 'oifname')) : []),
    ...(arriving ? chain('arriving', 'input', ['tcp dport @control@', neighbours], rules('saddr', 'iifname')) : []),
    ...(out ? chain('passing_out', 'forward', [], rules('daddr', 'oifname')) : []),
    ...(arriving ? chain('passing_in', 'forward', [], rules('saddr', 'iifname')) : []),
  ];
}
