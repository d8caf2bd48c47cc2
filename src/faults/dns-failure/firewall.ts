/**
 * What stops the queries: a table of its own (nft), or a chain of its own (iptables and ip6tables), so that undoing touches nobody else's
 * rules. Ports 53 and 853 (DNS over TLS or QUIC), over UDP and TCP, on every interface: a resolver on the host itself would answer from
 * its cache. To reject, queries are stopped as they leave. To drop, answers are stopped as they arrive: who sends a packet that is dropped
 * on its way out is told so at once (EPERM) and does not wait.
 */
type How = 'reject' | 'drop';

export interface FirewallTexts {
  /** Succeeds in a network of its own when the kernel takes the rules. */
  readonly probe: string;
  readonly inject: string;
  /** Prints the number of packets that were stopped; fails when the rules are not there. */
  readonly count: string;
  readonly undo: string;
  readonly check: string;
}

const protocols = ['udp', 'tcp'] as const;

export function nftTexts(how: How, id: string): FirewallTexts {
  const table = `inet chaos_${id.replaceAll(/[-.]/g, '_')}`;
  const [hook, port] = how === 'drop' ? ['input', 'sport'] : ['output', 'dport'];
  // Before the address translation of a container's own resolver (-100), which changes the port of a query.
  const rules = (name: string): string => `table ${name} {
  chain names {
    type filter hook ${hook} priority -310; policy accept;
    udp ${port} { 53, 853 } counter ${how}
    tcp ${port} { 53, 853 } counter ${how === 'drop' ? how : 'reject with tcp reset'}
  }
}`;
  return {
    probe: `printf '%s\\n' '${rules('inet probe')}' | unshare -n nft -f -`,
    // One transaction: all of it or nothing.
    inject: `printf '%s\\n' '${rules(table)}' | nft -f -`,
    count: `nft list table ${table} | awk '{ for (i = 1; i < NF; i++) if ($i == "packets") n += $(i + 1) } END { print n + 0 }'
nft list table ${table} >/dev/null 2>&1`,
    undo: `if nft list table ${table} >/dev/null 2>&1; then nft delete table ${table}; fi`,
    check: `tables=$(nft list tables 2>&1) || { echo "nft does not answer: $tables"; exit 3; }
if printf '%s\\n' "$tables" | grep -qx 'table ${table}'; then echo 'table ${table} is still there'; exit 3; fi
echo 'no table ${table}'`,
  };
}

/** `@tools@`: the commands, joined by `+`. */
export function iptablesTexts(how: How, id: string): FirewallTexts {
  const chain = `${id}-dns`;
  const [hook, ports] = how === 'drop' ? ['INPUT', '--sports'] : ['OUTPUT', '--dports'];
  const each = (text: string): string => `for tool in $(echo "$tools" | tr + ' '); do\n${text}\ndone`;
  const target = { drop: { udp: 'DROP', tcp: 'DROP' }, reject: { udp: 'REJECT', tcp: 'REJECT --reject-with tcp-reset' } }[how];
  const rule = (protocol: 'udp' | 'tcp', into: string): string =>
    `-A ${into} -p ${protocol} -m multiport ${ports} 53,853 -j ${target[protocol]}`;
  return {
    probe: each(protocols.map((protocol) => `  unshare -n "$tool" -w 5 ${rule(protocol, hook)} || exit 1`).join('\n')),
    inject: each(`  $tool -w 5 -N ${chain} &&
${protocols.map((protocol) => `    $tool -w 5 ${rule(protocol, chain)} &&`).join('\n')}
    $tool -w 5 -I ${hook} 1 -j ${chain} || exit 1`),
    count: `${each(`  $tool -w 5 -nvxL ${chain}`)} | awk '$3 == "DROP" || $3 == "REJECT" { n += $1 } END { print n + 0 }'
${each(`  $tool -w 5 -C ${hook} -j ${chain} 2>/dev/null || exit 1`)}`,
    undo: each(`  while $tool -w 5 -D ${hook} -j ${chain} 2>/dev/null; do :; done
  $tool -w 5 -F ${chain} 2>/dev/null && $tool -w 5 -X ${chain}`),
    check: each(`  rules=$($tool -w 5 -S 2>&1) || { echo "$tool does not answer: $rules"; exit 3; }
  case $rules in *'${chain}'*) echo "$tool: chain ${chain} is still there"; exit 3 ;; esac
  echo "$tool: no chain ${chain}"`),
  };
}
