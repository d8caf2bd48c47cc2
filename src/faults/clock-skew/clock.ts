/**
 * Shell functions that read and set the clock against /proc/uptime, which no setting moves and which NTP slews together with the clock
 * (proc(5), clock_gettime(2)): the difference of both, here the base, changes only when somebody sets the clock.
 *
 * Seconds and hundredths are kept apart: mksh counts in 32 bits. Some `date` know no fractions of a second (busybox): the clock is set at
 * the turn of a second, and read at one where it must be.
 */
export const clockFunctions = `read_uptime() { read -r up _ </proc/uptime; up_s=\${up%.*} up_c=\${up#*.} up_c=\${up_c#0}; }
# base_s, base_c: when the uptime was 0. Read again when we were held up between looking at both.
read_base() {
  tries=0
  while :; do
    now=$(date +%s.%N) || return 1
    case $now in *.[0-9]*) whole= ;; *) whole=\${now%%.*} ;; esac
    wall=$whole
    # Without fractions: the turn of the second.
    while [ "$wall" = "$whole" ]; do
      read_uptime; from_s=$up_s from_c=$up_c
      now=$(date +%s.%N); wall=\${now%%.*}
    done
    read_uptime
    tries=$((tries + 1))
    if [ $(((up_s - from_s) * 100 + up_c - from_c)) -le 5 ] || [ $tries -ge 5 ]; then break; fi
  done
  wall_c=0
  if [ -z "$whole" ]; then wall_c=\${now#*.} wall_c=\${wall_c%???????} wall_c=\${wall_c#0}; fi
  base_s=$((wall - up_s)) base_c=$((wall_c - up_c))
  if [ $base_c -lt 0 ]; then base_s=$((base_s - 1)) base_c=$((base_c + 100)); fi
}
# skew_s, skew_c: how far the clock is from the base that was saved.
read_skew() {
  read_base || return 1
  skew_s=$((base_s - @base-s@)) skew_c=$((base_c - @base-c@))
  if [ $skew_c -lt 0 ]; then skew_s=$((skew_s - 1)) skew_c=$((skew_c + 100)); fi
}
# near SECONDS [HUNDREDTHS]: is the skew that, within half a second or so many hundredths?
near() {
  off=$((skew_s - $1))
  [ $off -ge -2 ] && [ $off -le 2 ] || return 1
  off=$((off * 100 + skew_c))
  [ $off -ge -\${2:-50} ] && [ $off -le \${2:-50} ]
}
# size: the skew in seconds without its sign; sign.
size_skew() {
  sign=+ size_s=$skew_s size_c=$skew_c
  if [ "$size_s" -lt 0 ]; then
    sign=- size_s=$((-size_s)) size_c=$((-size_c))
    if [ $size_c -lt 0 ]; then size_s=$((size_s - 1)) size_c=$((size_c + 100)); fi
  fi
  size=$size_s.$((size_c / 10))$((size_c % 10))
}
# set_clock SECONDS: to that far from the base. Again when we were held up in the very moment of setting it.
set_clock() {
  times=0
  while :; do
    step_clock "$1" && read_skew || return 1
    times=$((times + 1))
    if near "$1" 10 || [ $times -ge 3 ]; then break; fi
  done
}
# At the turn of a second, in the clock that is set.
step_clock() {
  read_uptime
  goal_s=$((up_s + 1)) goal_c=0
  if [ @base-c@ -gt 0 ]; then goal_s=$up_s goal_c=$((100 - @base-c@)); fi
  if [ $(((goal_s - up_s) * 100 + goal_c - up_c)) -lt 3 ]; then goal_s=$((goal_s + 1)); fi
  turn=$((@base-s@ + goal_s + $1))
  if [ $goal_c -gt 0 ]; then turn=$((turn + 1)); fi
  until [ "$up_s" -gt $goal_s ] || { [ "$up_s" -eq $goal_s ] && [ "$up_c" -ge $goal_c ]; }; do read_uptime; done
  date -u -s "@$turn" >/dev/null
}
boot_id() { cat /proc/sys/kernel/random/boot_id 2>/dev/null || echo none; }
`;

/** `service VERB NAME`, `running NAME`: by the manager that `look` found. */
export const serviceFunctions = `service() {
  case @manager@ in
    systemd) systemctl "$1" "$2" ;;
    openrc) rc-service "$2" "$1" >/dev/null 2>&1 ;;
  esac
}
running() {
  case @manager@ in
    systemd) systemctl is-active --quiet "$1" ;;
    openrc) rc-service "$1" status >/dev/null 2>&1 ;;
  esac
}
each_service() { echo @services@ | tr + '\\n' | grep -v '^none$'; }
`;
