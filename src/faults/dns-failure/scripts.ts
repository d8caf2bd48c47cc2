/** The shell texts of `dns-failure`. */
import { shellQuote } from '../../core/text.ts';
import type { HostScriptRequest, HostScripts } from '../host-fault/contract.ts';
import { forgetNamesFunction, sourcesText } from '../name-lookup.ts';
import { type FirewallTexts, iptablesTexts, nftTexts } from './firewall.ts';
import type { DnsFailureParameters } from './schema.ts';

export function scripts({ parameters, target, id }: HostScriptRequest<DnsFailureParameters>): HostScripts {
  const { how, lookup } = parameters;
  const [nft, iptables] = [nftTexts(how, id), iptablesTexts(how, id)];
  const either = (part: keyof FirewallTexts): string => `tools=@tools@
if [ $tools = nft ]; then
${nft[part]}
else
${iptables[part]}
fi`;
  return {
    look: [base, ...(how === 'drop' && target.become === 'sudo' ? [ownName] : []), firewall(nft, iptables), lookNow(lookup)].join('\n'),
    inject: `${forgetNamesFunction}\n${either('inject')} || exit 1\nforget_names`,
    verify: verify(either('count'), lookup),
    undo: `${forgetNamesFunction}\n${either('undo')}\nforget_names`,
    check: either('check'),
    undoInWords: `delete the firewall rules named after ${id}, empty the caches of names`,
  };
}

export function notes(): readonly string[] {
  return [
    'The connection to the target stays. Whatever begins meanwhile and needs a name (a login that looks up its client, a jump to another host) waits or fails.',
    'Names in /etc/hosts, multicast DNS and DNS over HTTPS still work; containers with a network of their own are not touched.',
  ];
}

const base = `[ "$(id -u)" = 0 ] || refuse 'needs root: log in as root, or set become: sudo in the environment'
need getent 'libc-bin, glibc-common or musl-utils'
need unshare util-linux
${sourcesText}
case $sources in
  '  '|*' dns '*|*' resolve '*) ;;
  *) refuse "no effect: names are not looked up by DNS here (hosts:$sources in /etc/nsswitch.conf)" ;;
esac`;

/** sudo looks up the host's own name: with queries that get no answer, each command would take many seconds. */
const ownName = `case $sources in *' myhostname '*) ;; *)
  sed 's/#.*//' /etc/hosts 2>/dev/null | tr '\\t' ' ' | sed 's/$/ /' | grep -qiF " $(uname -n) " ||
    refuse "sudo would wait for the name server: add $(uname -n) to /etc/hosts, or use how: reject"
;; esac`;

/** In networks of their own, which are gone with the command: the kernel is asked without touching anything. */
function firewall(nft: FirewallTexts, iptables: FirewallTexts): string {
  return `tools='' why='not installed'
if have nft; then why=$({ ${nft.probe}; } 2>&1) && tools=nft; fi
if [ -z "$tools" ] && have iptables; then
  tools=iptables
  if [ -n "$(cat /proc/net/if_inet6 2>/dev/null)" ]; then
    have ip6tables || refuse 'the host has IPv6 and no ip6tables (package iptables)'
    tools=iptables+ip6tables
  fi
  why=$({ ${iptables.probe}; } 2>&1) || tools=
fi
[ -n "$tools" ] || refuse "neither nft nor iptables works here (packages nftables, iptables): $(printf '%s' "$why" | tr '\\n' ' ')"
save tools $tools`;
}

function lookNow(lookup: string | undefined): string {
  if (lookup === undefined) return '';
  const name = shellQuote(lookup);
  return `timeout 10 getent ahosts ${name} >/dev/null 2>&1 || refuse ${shellQuote(`no effect: ${lookup} cannot be resolved even now`)}`;
}

/** The lookup of a name that nobody can have in a cache has to be stopped by the rules, and no answer may come. */
function verify(count: string, lookup: string | undefined): string {
  return `count() {
${count}
}
stopped=$(count 2>/dev/null) || { echo 'the rules are not there'; exit 3; }
before=$stopped
read -r now _ </proc/uptime
timeout 10 getent ahosts "q\${now%.*}\${now#*.}.example.com" >/dev/null 2>&1 &
query=$!
tries=0
while [ "$stopped" -le "$before" ] && [ $tries -lt 10 ]; do
  tries=$((tries + 1))
  sleep 0.5 2>/dev/null || sleep 1
  stopped=$(count 2>/dev/null)
done
kill $query 2>/dev/null
echo "$((stopped - before)) packets of a lookup were stopped"
if [ "$stopped" -le "$before" ]; then echo 'names are looked up in another way here: nothing is tested'; exit 3; fi${
    lookup === undefined
      ? ''
      : `
if timeout 5 getent ahosts ${shellQuote(lookup)} >/dev/null 2>&1; then echo ${shellQuote(`${lookup} is still resolved`)}; exit 3; fi
echo ${shellQuote(`${lookup} cannot be resolved`)}`
  }`;
}
