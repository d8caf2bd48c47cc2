/** What a target did while nobody could look: it writes down itself when the state of a fuse changes, by its time since boot. */
import { bed } from './testbed/bed.ts';

const record = '/run/watch';

/** Builtins of the shell alone but for the sleep: many hosts do it on few cores. */
const watcher = `old=
while sleep 0.3; do
  for d in /var/lib/chaos/*/; do
    [ -f "$d/state" ] || continue
    state= reason=
    read -r state <"$d/state"
    read -r reason <"$d/reason"
    [ "$d $state $reason" != "$old" ] || continue
    old="$d $state $reason"
    read -r up rest </proc/uptime
    echo "$up $d $state $reason" >>${record}
  done
done 2>/dev/null`;

export async function watch(target: string): Promise<void> {
  await bed.ssh(target, `: >${record}; setsid sh -c '${watcher}' </dev/null >/dev/null 2>&1 &`);
}

/** When the fuse of a run reverted, s after `from` (of `performance.now`), and its state and reason. */
export async function revertedAfter(
  target: string,
  run: string,
  from: number,
): Promise<{ readonly seconds: number; readonly words: string }> {
  const [up = '', ...lines] = (await bed.ssh(target, `cat /proc/uptime ${record}`)).out.split('\n');
  const now = performance.now();
  const [at = '', , ...words] = lines.find((line) => line.includes(`/${run}-`) && / reverted /.test(line))?.split(' ') ?? [];
  return { seconds: (now - from) / 1_000 - (Number.parseFloat(up) - Number.parseFloat(at)), words: words.join(' ') };
}

/** What faults touch and must give back byte by byte. */
export async function stateOf(target: string): Promise<string> {
  const look = `stat -c '%n %a %u %g' /etc/hosts; cat /etc/hosts; tc qdisc show; tc filter show 2>/dev/null; nft list ruleset 2>/dev/null
    ip -o link | awk '{ print $2 }'; ip -o -4 address | awk '{ print $2, $4 }'; systemctl is-active demo demo-once systemd-timesyncd ssh; ls -A /etc/systemd/system /srv`;
  return (await bed.ssh(target, look)).out;
}
