/**
 * The shell texts of `dns-spoof`. Lines are appended to /etc/hosts and cut off again in place: the file may be a symbolic link or a bind
 * mount, and keeps its owner, mode and attributes. It is never empty in between, and undoing needs no room on the disk.
 */
import { shellQuote } from '../../core/text.ts';
import type { HostScriptRequest, HostScripts } from '../host-fault/contract.ts';
import { forgetNamesFunction, sourcesText } from '../name-lookup.ts';
import type { DnsSpoofParameters } from './schema.ts';

interface Spoof {
  readonly name: string;
  /** As getent writes them. */
  readonly addresses: readonly string[];
}

export function scripts({ parameters, id }: HostScriptRequest<DnsSpoofParameters>): HostScripts {
  const spoofs = Object.entries(parameters.names).map(([name, given]) => ({ name, addresses: [given].flat().map(canonical) }));
  const tag = `chaos-${id}`;
  return {
    look: look(spoofs, tag),
    inject: inject(spoofs, tag),
    verify: `${spoofedFunction()}\n${spoofs.map(verify).join('\n')}`,
    undo: undo(spoofs, tag),
    check: check(spoofs, tag),
    undoInWords: `take the lines that end in ${tag} out of /etc/hosts`,
  };
}

export function notes(): readonly string[] {
  return ['Programs that keep the addresses they once looked up, and those that ask name servers themselves, do not see the change.'];
}

function canonical(address: string): string {
  return address.includes(':') ? new URL(`http://[${address}]`).hostname.slice(1, -1) : address;
}

/** All lines end in the tag, so that each can be told from other people's. */
function linesOf(spoofs: readonly Spoof[], tag: string): string {
  const entries = spoofs.flatMap(({ name, addresses }) => addresses.map((address) => `${address} ${name} # ${tag}`));
  return [`# begin ${tag}`, ...entries, `# end ${tag}`].join('\n');
}

/** A pattern for our lines. */
function tagged(tag: string, use: (pattern: string) => string = (pattern) => pattern): string {
  return shellQuote(use(` ${tag.replaceAll('.', '\\.')}$`));
}

/** `spoofed NAME ADDRESSES`: is it resolved to these addresses and to no others? Leaves what was found in `found`. `limit`: seconds a lookup may take. */
const spoofedFunction = (limit = 5): string => `spoofed() {
  found=$(timeout ${limit} getent ahosts "$1" 2>/dev/null | sed 's/[[:space:]].*//' | sort -u)
  # Without an address of this family on any interface, only the other call tells.
  [ -n "$found" ] || found=$(timeout ${limit} getent hosts "$1" 2>/dev/null | sed 's/[[:space:]].*//' | sort -u)
  [ -n "$found" ] || return 1
  for address in $found; do case " $2 " in *" $address "*) ;; *) return 1 ;; esac; done
}`;

/** The file without comments, each line between single spaces. */
const bareHosts = `bare_hosts() { sed -e 's/#.*//' -e 's/[[:space:]][[:space:]]*/ /g' -e 's/$/ /' /etc/hosts; }`;

function look(spoofs: readonly Spoof[], tag: string): string {
  const standing = spoofs.map(
    ({ name }) =>
      `if bare_hosts | grep -qiF ${shellQuote(` ${name} `)}; then refuse ${shellQuote(`${name} stands in /etc/hosts already, and its line would count first: leave it out`)}; fi`,
  );
  const [first] = spoofs;
  return `[ "$(id -u)" = 0 ] || refuse 'needs root: log in as root, or set become: sudo in the environment'
need getent 'libc-bin, glibc-common or musl-utils'
[ -f /etc/hosts ] || refuse 'there is no /etc/hosts: create it'
# In a shell of its own: where it fails, a special builtin ends the shell.
(: >>/etc/hosts) 2>/dev/null || refuse '/etc/hosts cannot be written (read-only file system, or chattr +i)'
${sourcesText}
case $sources in
  '  '|*' files '*|*' resolve '*) ;;
  *) refuse "no effect: /etc/hosts is not read here (hosts:$sources in /etc/nsswitch.conf)" ;;
esac
case $sources in *' dns '*'files '*) refuse 'no effect: name servers are asked before /etc/hosts here (/etc/nsswitch.conf)' ;; esac
if grep -q ${tagged(tag)} /etc/hosts; then refuse '/etc/hosts has lines of this fault already'; fi
${bareHosts}
${standing.join('\n')}
${spoofedFunction()}
${first === undefined ? '' : `if spoofed ${words(first)}; then refuse ${shellQuote(`no effect: ${first.name} is resolved to that already`)}; fi`}
set -- $(cksum </etc/hosts)
save sum "$1"; save size "$2"
if [ -z "$(tail -c 1 /etc/hosts)" ]; then save ended yes; else save ended no; fi`;
}

function words({ name, addresses }: Spoof): string {
  return `${shellQuote(name)} ${shellQuote(addresses.join(' '))}`;
}

/** `added`: what is appended, with a line end before it where the file has none. */
function addedText(spoofs: readonly Spoof[], tag: string): string {
  return `lines=${shellQuote(linesOf(spoofs, tag))}
end='
'
added=$lines$end
[ @ended@ = yes ] || added=$end$added`;
}

function inject(spoofs: readonly Spoof[], tag: string): string {
  return `${forgetNamesFunction}
${addedText(spoofs, tag)}
set -- $(cksum </etc/hosts)
[ "$1 $2" = '@sum@ @size@' ] || { echo '/etc/hosts was changed by somebody else since it was looked at: run again'; exit 1; }
printf '%s' "$added" >>/etc/hosts || exit 1
forget_names`;
}

/** Caches notice a changed file after some seconds. */
function verify(spoof: Spoof): string {
  return `tries=0
until spoofed ${words(spoof)}; do
  tries=$((tries + 1))
  [ $tries -lt 5 ] || { echo ${shellQuote(spoof.name)} is resolved to \${found:-nothing}, not to ${shellQuote(spoof.addresses.join(' '))}; exit 3; }
  sleep 1
done
echo ${shellQuote(spoof.name)} is resolved to $found`;
}

/**
 * Nobody else changed the file: what we added, also when it was cut short, is behind the bytes of before, and the file is cut there.
 * Otherwise only lines with our tag go. Overwriting in place with fewer bytes needs no room.
 */
function undo(spoofs: readonly Spoof[], tag: string): string {
  return `${forgetNamesFunction}
${addedText(spoofs, tag)}
cut_at() { dd of=/etc/hosts bs=1 seek="$1" count=0 </dev/null 2>/dev/null; }
[ -f /etc/hosts ] || exit 0
set -- $(head -c @size@ /etc/hosts | cksum)
# The x: a substitution drops the line ends at its end.
rest=$(tail -c +$((@size@ + 1)) /etc/hosts; echo x) rest=\${rest%x}
if [ "$1 $2" = '@sum@ @size@' ] && [ -n "$rest" ] && [ "\${added#"$rest"}" != "$added" ]; then
  cut_at @size@ || exit 1
elif grep -q ${tagged(tag)} /etc/hosts; then
  kept=$(sed ${tagged(tag, (pattern) => `/${pattern}/d`)} /etc/hosts && echo x) || exit 1
  kept=\${kept%x}
  printf '%s' "$kept" | dd of=/etc/hosts bs=4096 conv=notrunc 2>/dev/null || exit 1
  cut_at "$(($(printf '%s' "$kept" | wc -c)))" || exit 1
fi
forget_names`;
}

/** A name that is still resolved to the wrong address without any line for it comes from a cache. */
function check(spoofs: readonly Spoof[], tag: string): string {
  const [first] = spoofs;
  const cached =
    first === undefined
      ? ''
      : `if ! bare_hosts | grep -qiF ${shellQuote(` ${first.name} `)} && spoofed ${words(first)}; then
  echo ${shellQuote(`${first.name} is still resolved to`)} $found: a cache keeps it
  exit 3
fi`;
  // A cache answers at once; with the name server out of reach the target must not wait for it before it says that it has reverted.
  return `${bareHosts}
${spoofedFunction(1)}
left=$(grep -c ${tagged(tag)} /etc/hosts)
if [ "\${left:-0}" -gt 0 ]; then echo "$left lines of the fault are in /etc/hosts"; exit 3; fi
set -- $(cksum </etc/hosts)
if [ "$1 $2" = '@sum@ @size@' ]; then echo '/etc/hosts is as it was, byte for byte'
else echo '/etc/hosts has no line of the fault; somebody else changed it meanwhile'; fi
${cached}`;
}
