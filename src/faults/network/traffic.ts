/** Shell texts that find out on the target which packets are meant: interface, peers, and the control path that is never touched. */
import { shellQuote } from '../../core/text.ts';
import type { FaultMistake } from '../contract.ts';
import type { Traffic } from './schema.ts';

/** Never held up: neighbour discovery and router advertisements (RFC 4861), without which there is no IPv6 at all. */
export const neighbourTypes = [133, 134, 135, 136];

export function trafficMistakes({ ports, localPorts, protocol }: Traffic): readonly FaultMistake[] {
  if ((ports === undefined && localPorts === undefined) || protocol === 'tcp' || protocol === 'udp') return [];
  const path = [ports === undefined ? 'localPorts' : 'ports'];
  return [{ path, message: `ports belong to a protocol: add protocol: tcp or protocol: udp (it is ${protocol})` }];
}

/**
 * Saves `dev`, `peers` (addresses joined by `+`, empty: everybody), `control` (the port of the SSH server, exempt) and `rtt` (ms to the first
 * peer or the gateway, 0 where ping cannot tell).
 */
export function lookTraffic({ interface: dev, to = [] }: Traffic): string {
  return `need ip iproute2
# Names are looked up here, where the traffic is.
peers=
for peer in ${to.map(shellQuote).join(' ')}; do
  case $peer in
    *:*) found=$peer ;;
    *[!0-9./]*)
      found=$(getent ahosts "$peer" | awk '{ print $1 }' | sort -u)
      [ -n "$found" ] || refuse "$peer is not known here" ;;
    *) found=$peer ;;
  esac
  for address in $found; do peers=$peers\${peers:++}$address; done
done
route_dev() { sed -n 's/.* dev \\([^ ]*\\).*/\\1/p' | head -n 1; }
first=\${peers%%+*}
dev=${dev === undefined ? '' : shellQuote(dev)}
gateway=$(ip -o route show default 2>/dev/null | sed -n 's/.* via \\([^ ]*\\).*/\\1/p' | head -n 1)
if [ -n "$dev" ]; then
  ip link show dev "$dev" >/dev/null 2>&1 || refuse "there is no interface $dev"
elif [ -n "$peers" ]; then
  for address in $(echo "$peers" | tr + ' '); do
    this=$(ip -o route get "\${address%/*}" 2>/dev/null | route_dev)
    [ -n "$this" ] || refuse "there is no route to $address"
    [ -z "$dev" ] || [ "$dev" = "$this" ] || refuse "the peers are behind several interfaces ($dev, $this): name one with interface"
    dev=$this
  done
  [ "$dev" != lo ] || refuse "$first is this host itself: name interface: lo if that is meant"
else
  dev=$(ip -o route show default 2>/dev/null | route_dev)
  [ -n "$dev" ] || refuse 'there is no default route: name the interface'
fi
# The SSH server that carries us. sudo hides what it told the login, so the processes above are asked.
control=\${SSH_CONNECTION:-} control=\${control##* } p=$$
while [ -z "$control" ] && [ "\${p:-1}" -gt 1 ]; do
  control=$(tr '\\0' '\\n' 2>/dev/null <"/proc/$p/environ" | sed -n 's/^SSH_CONNECTION=.* //p')
  p=$(sed 's/.*) . //; s/ .*//' "/proc/$p/stat" 2>/dev/null)
done
ping_to=\${first:-$gateway}; ping_to=\${ping_to%/*}
rtt=$(ping -n -c 3 -i 0.2 -W 2 -I "$dev" "$ping_to" 2>/dev/null | sed -n 's|^r.* = [^/]*/\\([^/]*\\)/.*|\\1|p')
save dev "$dev"; save peers "$peers"; save control "\${control:-22}"; save ping "\${ping_to:-none}"; save rtt "\${rtt:-0}"`;
}

/** Is PACKETS of the fault's own count above 0 within 5 s? Pings the peer meanwhile, so that there is something to see. */
export const seeTraffic = `ping_out=
if [ @rtt@ != 0 ]; then ping_out=$(ping -n -c 5 -i 0.2 -W 2 -I @dev@ @ping@ 2>&1); fi
tries=0
while [ "$(packets)" -eq 0 ] && [ $tries -lt 5 ]; do tries=$((tries + 1)); sleep 1; done
seen=$(packets)
echo "$seen packets went through it"
during=$(echo "$ping_out" | sed -n 's|^r.* = [^/]*/\\([^/]*\\)/.*|\\1|p')
[ -z "$ping_out" ] || echo "ping @ping@: @rtt@ ms before, \${during:-no answer}\${during:+ ms} now, $(echo "$ping_out" | sed -n 's/.* \\([0-9.]*% packet loss\\).*/\\1/p')"
if [ "$seen" -eq 0 ]; then echo 'no packet matched: nothing is tested'; exit 3; fi`;
