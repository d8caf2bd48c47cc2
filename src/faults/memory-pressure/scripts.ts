/**
 * The shell texts of `memory-pressure`. What is held is anonymous memory of processes (no tmpfs, no page cache), so it is what /proc says of
 * them; the kernel cannot give it to others but by swapping, and then it counts as not held.
 */
import { amountInWords, arithmetic, takeText } from '../amount.ts';
import type { HostScriptRequest, HostScripts } from '../host-fault/contract.ts';
import type { MemoryPressureParameters } from './schema.ts';

/** One process holds no more, kB: below the limit of 32-bit hosts. Several fill faster, too. */
const partKb = 1_024 ** 2;
const blockKb = 64;

const memory = `${arithmetic}mem() { sed -n "s/^$1: *\\([0-9]*\\) kB/\\1/p" /proc/meminfo; }
`;

/**
 * One part: tail keeps the last line of what it is fed, and zeros have no line end. Its pipe stays open, so it goes on for ever.
 * The OOM killer takes a process with the score 1000 before every other; raising it needs no privilege.
 */
const holder = `blocks=$1 rate=$2 wait=$3
echo 1000 >/proc/$$/oom_score_adj || exit 1
feed() {
  sleep "$wait"
  if [ "$rate" -gt 0 ]; then
    while [ "$blocks" -gt "$rate" ]; do
      dd if=/dev/zero bs=65536 count="$rate" 2>/dev/null
      blocks=$((blocks - rate))
      sleep 1
    done
  fi
  dd if=/dev/zero bs=65536 count="$blocks" 2>/dev/null
  exec sleep 1000000
}
feed | exec tail -n 1`;

export function scripts({ parameters }: HostScriptRequest<MemoryPressureParameters>): HostScripts {
  const rateKb = kbPerSecond(parameters.rate);
  return { look: look(parameters), inject: inject(rateKb), verify: verify(rateKb, parameters.allowOom), undo: 'end_mine', check };
}

export function notes({ allowOom }: MemoryPressureParameters): readonly string[] {
  return [
    'Memory that the host swaps out is not held any more: where there is swap, less is held than was asked, and the run says so.',
    ...(allowOom ? ['The OOM killer may act. It takes the processes of the fault first; what it takes is not taken again.'] : []),
  ];
}

function kbPerSecond(rate: string | undefined): number {
  if (rate === undefined) return 0;
  return Number.parseInt(rate, 10) * (rate.endsWith('GB/s') ? 1_024 ** 2 : 1_024);
}

function look(parameters: MemoryPressureParameters): string {
  const { allowOom } = parameters;
  const asked = amountInWords(parameters);
  const tooMuch = allowOom
    ? ''
    : `is "$take <= $room - $reserve" || refuse "$(mb "$take") MB more would leave less than $(mb "$reserve") MB of the $(mb "$room") MB that it may use, and the OOM killer would act: ask for less, or set allowOom: true"`;
  return `need awk mawk; need tail coreutils; need dd coreutils
${memory}total=$(mem MemTotal) avail=$(mem MemAvailable)
[ -n "$avail" ] || refuse 'its /proc/meminfo does not say what memory is available (Linux 3.14 or newer does)'
${takeText(parameters)}
is "$take >= 1024" || refuse "no effect: asked is ${asked}, and $(mb "$avail") MB of $(mb "$total") MB are available"
# What the control groups of this login leave, in both versions of their file system.
room=$avail
room_in() {
  group=$2
  while :; do
    most=$(cat "$1$group/$3" 2>/dev/null) used=$(cat "$1$group/$4" 2>/dev/null)
    cache=$(sed -n 's/^\\(total_\\)*inactive_file //p' "$1$group/memory.stat" 2>/dev/null | tail -n 1)
    case $most$used in
      ''|*[!0-9]*) ;;
      *) here=$(calc "int(($most - $used + \${cache:-0}) / 1024)"); if is "$here < $room"; then room=$here; fi ;;
    esac
    [ -n "\${group#/}" ] || break
    group=\${group%/*}
  done
}
room_in /sys/fs/cgroup "$(sed -n 's/^0:://p' /proc/self/cgroup 2>/dev/null)" memory.max memory.current
room_in /sys/fs/cgroup/memory "$(sed -n 's/^[0-9]*:\\([^:]*,\\)*memory\\(,[^:]*\\)*://p' /proc/self/cgroup 2>/dev/null)" memory.limit_in_bytes memory.usage_in_bytes
reserve=$(calc "int($total / 20)"); is "$reserve >= 32768" || reserve=32768
${tooMuch}
if [ "$(cat /proc/sys/vm/overcommit_memory 2>/dev/null)" = 2 ]; then
  is "$take <= $(mem CommitLimit) - $(mem Committed_AS)" || refuse 'it gives no more memory than its commit limit (vm.overcommit_memory=2): ask for less'
fi
ooms=$(sed -n 's/^oom_kill //p' /proc/vmstat 2>/dev/null)
save total "$total"; save avail "$avail"; save take "$take"; save ooms "\${ooms:-0}"`;
}

function inject(rateKb: number): string {
  return `cat >"$CHAOS_RUN_DIR/hold" <<'END' || exit 1
${holder}
END
rest=@take@ before=0
while [ $rest -gt 0 ]; do
  part=$rest
  [ $part -le ${partKb} ] || part=${partKb}
  [ $part -ge ${blockKb} ] || break
  sh "$CHAOS_RUN_DIR/hold" $((part / ${blockKb})) ${rateKb / blockKb} ${rateKb === 0 ? '0' : `$((before / ${rateKb}))`} </dev/null >/dev/null 2>&1 &
  rest=$((rest - part)) before=$((before + part))
done
sleep 0.2 2>/dev/null || sleep 1
kill -0 $! 2>/dev/null`;
}

/** With a rate it is in effect once it grows as asked; otherwise once it holds all. It waits as long as something is still being taken. */
function verify(rateKb: number, allowOom: boolean): string {
  return `${memory}held() {
  held=0
  for p in $(mine); do
    this=$(sed -n 's/^RssAnon:[[:space:]]*\\([0-9]*\\) kB/\\1/p' "/proc/$p/status" 2>/dev/null)
    [ -n "$this" ] || this=$(sed -n 's/^VmRSS:[[:space:]]*\\([0-9]*\\) kB/\\1/p' "/proc/$p/status" 2>/dev/null)
    held=$((held + \${this:-0}))
  done
}
swapped() {
  out=0
  for p in $(mine); do this=$(sed -n 's/^VmSwap:[[:space:]]*\\([0-9]*\\) kB/\\1/p' "/proc/$p/status" 2>/dev/null); out=$((out + \${this:-0})); done
}
first() {
  for p in $(mine); do
    size=$(sed -n 's/^VmRSS:[[:space:]]*\\([0-9]*\\) kB/\\1/p' "/proc/$p/status" 2>/dev/null)
    echo "\${size:-0} $(cat "/proc/$p/oom_score_adj" 2>/dev/null)"
  done | sort -n | tail -n 1 | cut -d ' ' -f 2
}
enough() { is "$held >= @take@ * 0.95"; }
held; began=$held still=0
while ! enough && [ $still -lt 3 ]; do
  last=$held
  sleep 1
  held
  ${rateKb === 0 ? ':' : `if is "$held - $began >= ${rateKb} / 2"; then break; fi`}
  if is "$held - $last < 1024"; then still=$((still + 1)); else still=0; fi
done
avail=$(mem MemAvailable)
swapped
echo "the fault holds $(mb $held) MB of $(mb @take@) MB asked, $(mb $out) MB swapped out; available $(mb "$avail") MB, before $(mb @avail@) MB"
measure memoryUsed "$(awk "BEGIN { printf \\"%.3f\\", (@total@ - $avail) / @total@ }")"
${allowOom ? oomActed : ''}score=$(first)
echo "its largest process has the OOM score \${score:-unknown} (1000: taken first)"
[ "$score" = 1000 ] || exit 3
${rateKb === 0 ? 'enough || exit 3' : `enough || is "$held - $began >= ${rateKb} / 2" || exit 3`}`;
}

const oomActed = `ooms=$(sed -n 's/^oom_kill //p' /proc/vmstat 2>/dev/null)
if is "\${ooms:-0} > @ooms@"; then echo "the OOM killer acted, times: $((ooms - @ooms@))"; exit 0; fi
`;

const check = `left=$(mine | wc -l)
echo "$((left)) processes of the fault are left; available $(sed -n 's/^MemAvailable: *//p' /proc/meminfo)"
[ "$left" -eq 0 ] || exit 3`;
