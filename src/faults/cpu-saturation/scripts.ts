/** The shell texts of `cpu-saturation`. */
import type { HostScriptRequest, HostScripts } from '../host-fault/contract.ts';
import type { CpuSaturationParameters } from './schema.ts';

/** Total and idle time of all cores in clock ticks, and the share that was busy over SECONDS, in percent. */
const load = `cpu_times() { read -r _ a b c d e f g h _ </proc/stat; total=$((a + b + c + d + e + f + g + h)) idle=$((d + e)); }
busy_over() {
  cpu_times; total0=$total idle0=$idle
  sleep "$1"
  cpu_times
  span=$((total - total0))
  if [ $span -gt 0 ]; then busy=$(((span - idle + idle0) * 100 / span)); else busy=0; fi
}
`;

/**
 * One core's worth. It compares the time it used (its own and that of its sleeps, /proc/PID/stat, clock ticks) with the time that passed
 * (/proc/uptime, hundredths) and sleeps whenever it is ahead, so it holds its share whatever the speed of the core. The window is begun
 * anew every ten seconds: a pause of the whole host is not caught up with.
 */
const burner = `percent=$1 ticks=$2
{ echo 500 >/proc/$$/oom_score_adj; } 2>/dev/null
if [ "$percent" -ge 100 ]; then while :; do :; done; fi
set -f
look() {
  read -r line </proc/$$/stat; set -- \${line##*) }
  used=$((\${12} + \${13} + \${14} + \${15}))
  read -r passed _ </proc/uptime; passed=\${passed%.*}\${passed#*.}
}
begin() { look; used0=$used passed0=$passed; }
begin
while :; do
  look
  if [ $(((used - used0) * 100 * 100)) -ge $(((passed - passed0) * percent * ticks)) ]; then
    sleep 0.02 2>/dev/null || sleep 1
  else
    i=0; while [ $i -lt 300 ]; do i=$((i + 1)); done
  fi
  [ $((passed - passed0)) -lt 1000 ] || begin
done`;

export function scripts({ parameters }: HostScriptRequest<CpuSaturationParameters>): HostScripts {
  const { percent, cores, burner: wanted } = parameters;
  return { look: look(cores, wanted), inject: inject(percent), verify: verify(percent), undo: 'end_mine', check };
}

function look(cores: number | undefined, wanted: CpuSaturationParameters['burner']): string {
  return `${load}[ -r /proc/stat ] || refuse 'no /proc/stat here: its load cannot be measured'
online=$(getconf _NPROCESSORS_ONLN 2>/dev/null || grep -c '^processor' /proc/cpuinfo)
cores=${cores ?? '$online'}
[ "$cores" -le "$online" ] || refuse "it has $online cores, asked are $cores"
burner=built-in
case ${wanted} in
  auto) have stress-ng && burner=stress-ng ;;
  stress-ng) need stress-ng stress-ng; burner=stress-ng ;;
esac
busy_over 1
save online "$online"; save cores "$cores"; save burner "$burner"; save before "$busy"
save ticks "$(getconf CLK_TCK 2>/dev/null || echo 100)"`;
}

function inject(percent: number): string {
  return `if [ @burner@ = stress-ng ]; then
  stress-ng --quiet --cpu @cores@ --cpu-load ${percent} --temp-path "$CHAOS_RUN_DIR" </dev/null >/dev/null 2>&1 &
else
  cat >"$CHAOS_RUN_DIR/burn" <<'END' || exit 1
${burner}
END
  n=0
  while [ $n -lt @cores@ ]; do
    sh "$CHAOS_RUN_DIR/burn" ${percent} @ticks@ </dev/null >/dev/null 2>&1 &
    n=$((n + 1))
  done
fi
sleep 0.2 2>/dev/null || sleep 1
kill -0 $! 2>/dev/null`;
}

/** Of the whole host: half of its cores at 80 % are 40 %. Other work may add to it, so only too little counts as no effect. */
function verify(percent: number): string {
  return `${load}[ -n "$(mine)" ] || { echo 'no process of the burner is alive'; exit 3; }
busy_over 2
asked=$((${percent} * @cores@ / @online@))
echo "busy $busy % over 2 s, @before@ % before, asked $asked % of the host (@cores@ of @online@ cores, @burner@)"
measure cpuBusy "$((busy / 100)).$((busy % 100 / 10))$((busy % 10))"
[ "$busy" -ge $((asked - 10)) ] || exit 3`;
}

const check = `left=$(mine | wc -l)
echo "$((left)) processes of the burner are left"
[ "$left" -eq 0 ] || exit 3`;
