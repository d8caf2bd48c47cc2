/** The commands of iproute2 that a lab host has instead of the real ones, which would program the machine's own network. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { entryPoint } from '../../core/entry-point.ts';
import { shellQuote } from '../../core/text.ts';
import { labInterface } from './qdisc.ts';

/** One interface, and everybody else behind it. What is not about that is refused in the words of ip(8). */
const ip = `#!/bin/sh
# The lab's network as ip(8) would tell it.
while :; do case \${1:-} in -o|-4|-6|-br|-d|-s|-oneline|-brief) shift ;; *) break ;; esac; done
link='2: ${labInterface}: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP mode DEFAULT group default'
case "$*" in
  route|'route show'|'route list'|'route show default'|'route list default') echo 'default via 127.0.0.1 dev ${labInterface}' ;;
  'route get '*) echo "$3 via 127.0.0.1 dev ${labInterface} src 127.0.0.1" ;;
  link|'link show'|'link show ${labInterface}'|'link show dev ${labInterface}'|address|addr|a) echo "$link" ;;
  'link show '*) for d; do :; done; echo "Device \\"$d\\" does not exist." >&2; exit 1 ;;
  'link add '*' type '*) echo 'Error: Unknown device type.' >&2; exit 2 ;;
  *) echo "Object \\"\${1:-}\\" is unknown, try \\"ip help\\"." >&2; exit 1 ;;
esac
`;

/** `bin`: first on the host's PATH. `folder`: where its qdiscs are kept. */
export function writeStandIns(bin: string, folder: string): void {
  const words = [process.execPath, entryPoint('lab/tc'), 'tc', folder].map(shellQuote).join(' ');
  writeFileSync(join(bin, 'tc'), `#!/bin/sh\nexec ${words} "$@"\n`, { mode: 0o755 });
  writeFileSync(join(bin, 'ip'), ip, { mode: 0o755 });
}
