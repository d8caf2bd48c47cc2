#!/bin/sh
# The fuse: a dead-man's switch on the target that holds the undo of one fault and runs it when its runner is gone.
# POSIX sh (dash, busybox ash, bash, mksh) on Linux; needs setsid and /proc. Sent as one file with the fault's texts behind it.
#
#   sh FILE arm ID LEASE DEADLINE [boot] [noeof]   moves FILE to its folder and starts the watcher; LEASE and DEADLINE in seconds
#   sh -s list <FILE                               every fuse that this login can see, a line each
#   sh FOLDER/fuse hold       standard input: a line per sign of life, answered `ok`; its end reverts at once, unless `bye` or noeof
#   sh FOLDER/fuse inject     standard input: the script to run as a process group of its own
#   sh FOLDER/fuse revert     undoes and checks, and prints what the check saw; safe to repeat, and beside the watcher
#   sh FOLDER/fuse forget     removes a fuse that has reverted
#   sh FOLDER/fuse boot       reverts when the machine was restarted since
#
# Exit codes: 0 done, 3 refused, 4 not clean, 5 inject failed (and reverted), 64 usage.
#
# FOLDER holds what must survive a restart (fuse, about, undo, check, state). What is written often or in need (lease, process ids, locks)
# is in a folder on tmpfs, so that a full disk does not matter. Order: undo on disk -> watcher proved alive -> inject.
# shellcheck disable=SC2015 # what stands after || only says why it is refused
set -u
umask 077
export LC_ALL=C
PATH=$PATH:/usr/sbin:/sbin

say() { printf '%s\n' "$*"; }
leave() { code=$1; shift; say "$*"; exit "$code"; }

# Seconds that do not jump with the wall clock; builtins only, like all that must work when no process can be forked.
clock() { read -r now _ </proc/uptime; now=${now%%.*}; }
boot_id() { { read -r boot </proc/sys/kernel/random/boot_id; } 2>/dev/null || boot=-; }
# Start time of a living process, by which a recycled process id is told.
born() {
  born=-
  { read -r line <"/proc/$1/stat"; } 2>/dev/null || return 1
  line=${line##*) }
  # shellcheck disable=SC2086
  { set -f; set -- $line; set +f; }
  case $1 in Z|X) return 1 ;; esac
  shift 19; born=$1
}
# identify FILE [PID]: writes who we are; living FILE: is it still there? Leaves its process id in pid.
identify() { born "${2:-$$}"; boot_id; say "${2:-$$} $born $boot" >"$1"; }
# The same for a file that must not be there yet.
claim() {
  set -C; identify "$1" 2>/dev/null; claimed=$?; set +C
  return $claimed
}
living() {
  pid=
  { read -r pid at where <"$1"; } 2>/dev/null || return 1
  boot_id
  [ "${where:-}" = "$boot" ] && born "$pid" && [ "$born" = "$at" ]
}

# A state is kept in both folders: one of them may be full, or gone after a restart. The one on tmpfs is written in place: who reads it in that
# very moment finds nothing there and takes the other, which is replaced as a whole.
put() {
  done=1
  [ "$fast" = "$folder" ] || { say "$2" >"$fast/$1" && done=0; } 2>/dev/null
  { say "$2" >"$folder/.$1.$$" && mv -f "$folder/.$1.$$" "$folder/$1" && done=0; } 2>/dev/null
  return $done
}
# What nothing depends on.
note() { { say "$2" >"$fast/$1"; [ "$fast" = "$folder" ] || say "$2" >"$folder/$1"; } 2>/dev/null; }
get() { value=; { read -r value <"$fast/$1" || read -r value <"$folder/$1"; } 2>/dev/null; }

# A fuse's own verbs know their folder from the name of the file.
open_fuse() {
  folder=${0%/*}; base=${folder%/*}; id=${folder##*/}
  { read -r fast <"$folder/where"; } 2>/dev/null || fast=$folder
  [ -d "$fast" ] || mkdir -p "$fast" 2>/dev/null || fast=$folder
  export CHAOS_ID="$id" CHAOS_DIR="$folder" CHAOS_RUN_DIR="$fast"
}

# The leader of the injected group may be dead and the group alive: its id is not given to another process while a member lives.
end_injected() {
  { read -r pid at where <"$fast/injected"; } 2>/dev/null || return 0
  boot_id
  [ "$where" = "$boot" ] || return 0
  if born "$pid" && [ "$born" != "$at" ]; then return 0; fi
  kill -KILL "-$pid" 2>/dev/null
  return 0
}

# Leaves 0 when the fault is undone and checked. WHY is what asked for it.
revert() {
  get state
  if [ "$value" = reverted ]; then get reason; say "already reverted: $value"; return 0; fi
  # From here on no injection begins: it looks for this mark after it wrote its process id, we look for the id after the mark.
  true >"$fast/reverting" 2>/dev/null || true >"$folder/reverting"
  end_injected
  lock_revert || return $?
  get state
  if [ "$value" = reverted ]; then get reason; say "already reverted: $value"; return 0; fi
  end_injected
  # Each fork costs: a fleet is undone by as many of these as it has hosts.
  output "$fast/said"
  (trap '' HUP INT TERM PIPE; exec sh "$folder/undo") </dev/null >"$output" 2>&1
  undone=$?
  output "$fast/saw"
  (trap '' HUP INT TERM PIPE; exec sh "$folder/check") </dev/null >"$output" 2>&1
  checked=$?
  if [ $checked -eq 0 ]; then
    # The lock stays: who finds it looks at the state first.
    note reason "$1"; put state reverted
    # Its connection may stay half open for hours. One whose injection failed hears so from that, and not that it lost us.
    if [ ! -e "$fast/failed" ] && living "$fast/holder" && [ "$pid" != $$ ]; then kill -KILL "$pid" 2>/dev/null; fi
    while read -r line || [ -n "$line" ]; do say "saw $line"; done 2>/dev/null <"$output"
    say "reverted: $1"
    return 0
  fi
  put state revert-failed
  rm -f "$fast/lock"
  say "not clean: undo exit $undone, check exit $checked"
  tail -q -n 5 "$fast/said" "$fast/saw" 2>/dev/null
  return 4
}
# Nothing is left undone for want of a file for what it prints.
output() { output=$1; { true >"$output"; } 2>/dev/null || output=/dev/null; }

# One at a time; the lock of a dead one is taken over. Without room for it both go on: an undo may be run twice.
lock_revert() {
  waited=0 dead=0
  until claim "$fast/lock"; do
    [ -e "$fast/lock" ] || return 0
    get state
    [ "$value" = reverted ] && return 0
    if living "$fast/lock"; then
      # We came back through exec after a failed fork.
      [ "$pid" = $$ ] && return 0
      dead=0 waited=$((waited + 1))
      [ $waited -lt 90 ] || { say "another revert is still running (process $pid)"; return 4; }
    else
      dead=$((dead + 1))
      case $dead in
        3) rm -f "$fast/lock"; continue ;;
        6) return 0 ;;
      esac
    fi
    sleep 1
  done
  return 0
}

# Until it is clean: a minute in quick succession, then more and more slowly; gives up after some 20 minutes.
insist() {
  tried=0
  until revert "$1" >/dev/null; do
    tried=$((tried + 1))
    [ $tried -lt 90 ] || { trap - EXIT; exit 4; }
    if [ $tried -lt 30 ]; then sleep 2; else sleep 20; fi
  done
  trap - EXIT
  exit 0
}

watch() {
  trap '' HUP INT PIPE TERM
  cd / || :
  { echo -900 >/proc/$$/oom_score_adj; } 2>/dev/null
  renice -n -10 -p $$ >/dev/null 2>&1
  get lease-s; lease=$value
  get deadline; deadline=$value
  get beat; last=$value; clock; over=$((now + lease))
  identify "$fast/watcher"
  # dash and ash end the script when they cannot fork; exec needs no fork.
  trap 'trap "" EXIT; end_injected; exec sh "$0" starved' EXIT
  while :; do
    sleep 1
    get state
    if [ "$value" = reverted ]; then trap - EXIT; exit 0; fi
    # Removed under us, as with a practice lab that goes: what can be ended still is.
    if [ ! -e "$folder/undo" ]; then trap - EXIT; end_injected; rm -rf "$fast"; rmdir "${fast%/*}" 2>/dev/null; exit 0; fi
    get beat; clock
    [ "$value" = "$last" ] || { last=$value; over=$((now + lease)); }
    [ "$now" -lt "$deadline" ] || insist 'its deadline passed'
    [ "$now" -lt "$over" ] || insist "no sign of life for $lease s"
  done
}

# After a failed fork: burns time without forking, then tries again; every failure comes back here through exec.
starved() {
  trap '' HUP INT PIPE TERM
  trap 'trap "" EXIT; exec sh "$0" starved' EXIT
  end_injected
  spins=0
  while [ $spins -lt 200000 ]; do spins=$((spins + 1)); done
  insist 'the watcher could not start a process'
}

hold() {
  # The runner ends what it leaves behind; what it wants here is that the end of the input reverts.
  trap '' HUP PIPE TERM
  get state
  case $value in reverted|revert-failed) leave 3 "refused: $value" ;; esac
  identify "$fast/holder"
  count=0
  while read -r line; do
    case $line in bye) exit 0 ;; esac
    count=$((count + 1))
    say "$$.$count" >"$fast/beat"
    if [ -e "$fast/reverting" ] && [ ! -e "$fast/failed" ]; then get reason; say "lost: ${value:-reverting}"; break; fi
    say ok
  done 2>/dev/null
  get noeof
  [ "$value" = yes ] && exit 0
  # In a session of its own: who ends this command's group must not end the revert.
  exec setsid sh "$0" ended </dev/null >/dev/null 2>&1
}

inject() {
  cat >"$fast/inject" || leave 5 'no room for the injection'
  get state
  [ "$value" = armed ] || leave 3 "refused: ${value:-not armed}"
  living "$fast/watcher" || leave 3 'refused: the watcher is dead'
  put state injecting
  # To a file: what it leaves in the background would keep our output open.
  setsid sh "$0" run </dev/null >"$fast/told" 2>&1 &
  wait $!
  code=$?
  tail -n 20 "$fast/told" 2>/dev/null | tail -c 8000
  [ -e "$fast/reverting" ] && leave 3 'refused: reverted while injecting'
  if [ $code -ne 0 ]; then
    true >"$fast/failed"
    revert "injecting failed with exit code $code" >/dev/null
    leave 5 "injecting failed with exit code $code"
  fi
  put state injected
  # A revert may have come to its end between the look and the line above.
  if [ -e "$fast/reverting" ]; then revert 'late' >/dev/null; leave 3 'refused: reverted while injecting'; fi
  say "injected $id"
}
run() {
  identify "$fast/injected" || exit 1
  [ -e "$fast/reverting" ] && exit 3
  # By this the processes that it leaves are found again, whatever becomes of their group.
  export CHAOS_FAULT="$id"
  exec sh "$fast/inject"
}

forget() {
  get state
  [ "$value" = reverted ] || leave 3 "refused: ${value:-not armed}"
  # Stopped, not killed: systemd would start a killed one again.
  get service
  if [ "$value" = yes ]; then
    systemctl stop "chaos-$id-watch.service" >/dev/null 2>&1
    systemctl reset-failed "chaos-$id-watch.service" >/dev/null 2>&1
  fi
  for who in watcher holder; do if living "$fast/$who"; then kill -KILL "$pid" 2>/dev/null; fi; done
  rm -f "/etc/systemd/system/multi-user.target.wants/chaos-$id.service" "/etc/systemd/system/chaos-$id.service" 2>/dev/null
  boot_id; since=; where=; { read -r since where <"$folder/armed-at"; } 2>/dev/null
  if [ "$where" != "$boot" ]; then
    # systemd read the unit when the machine started; and who was arming then has left its mutex.
    if [ "$(id -u)" = 0 ] && [ -d /run/systemd/system ]; then systemctl daemon-reload >/dev/null 2>&1; fi
    living "$base/.mutex/by" || rm -rf "$base/.mutex"
  fi
  rm -rf "$folder" "$fast"
  rmdir "$base" "${fast%/*}" 2>/dev/null
  say "forgotten $id"
}

# -- arming ---------------------------------------------------------------------------------------------------------------------------
bases() {
  uid=$(id -u)
  # The hosts of a practice lab share one machine and keep to their homes.
  if [ "$uid" = 0 ] && [ -z "${CHAOS_LAB_HOST:-}" ]; then disk=/var/lib/chaos memory=/run/chaos; else disk=$HOME/.chaos memory=/dev/shm/chaos-$uid; fi
  # Where /run is on disk, as in some containers.
  grep -q '^[^ ]* /run tmpfs ' /proc/mounts || memory=/dev/shm/chaos-$uid
}
section() { sed -n "/^#:$1\$/,/^#:/{/^#:/!p;}" "$0"; }
refuse() { rm -rf "$0"; [ -z "$made" ] || rm -rf "$folder" "$fast"; leave 3 "refused: $*"; }

arm() {
  id=$1 lease=$2 deadline=$3 made=
  shift 3
  bases
  base=${0%/*} folder=${0%/*}/$id
  [ "$(tail -n 1 "$0")" = '#:end' ] || refuse 'no room for the fuse, or it came incomplete'
  command -v setsid >/dev/null 2>&1 || refuse 'setsid is missing here (package util-linux)'
  [ -r /proc/uptime ] || refuse '/proc is not there'
  take_mutex
  trap 'rm -rf "$base/.mutex"; rmdir "$base" "$memory" 2>/dev/null' EXIT
  foreign
  mkdir "$folder" 2>/dev/null || refuse "there is a fuse $id already"
  fast=$memory/$id made=yes
  # Somebody else's folder under our name in a place where all may write is not ours to use.
  { mkdir -p "$memory" && [ -O "$memory" ] && mkdir -p "$fast" && true >"$fast/beat"; } 2>/dev/null || fast=$folder
  section about >"$folder/about" && section undo >"$folder/undo" && section check >"$folder/check" || refuse 'no room for the fuse'
  for text in undo check; do
    [ -s "$folder/$text" ] && sh -n "$folder/$text" 2>/dev/null || refuse "the $text text cannot be parsed by sh"
  done
  say "$fast" >"$folder/where"
  clock; boot_id
  put lease-s "$lease" && put deadline $((now + deadline)) && put armed-at "$now $boot" && put state armed || refuse 'no room for the fuse'
  mv "$0" "$folder/fuse" || refuse 'no room for the fuse'
  started=none
  for option; do
    case $option in noeof) put noeof yes ;; boot) started=$(boot_unit) ;; esac
  done
  sync
  start_watcher
  say "armed $id folder=$folder boot=$started"
}

take_mutex() {
  tries=0
  until mkdir "$base/.mutex" 2>/dev/null; do
    tries=$((tries + 1))
    living "$base/.mutex/by" || { [ $tries -lt 3 ] || rm -rf "$base/.mutex"; }
    [ $tries -lt 20 ] || refuse 'another fuse is being armed here'
    sleep 1
  done
  identify "$base/.mutex/by"
}

# The lock of the target: one run at a time. Several faults of the same run may be here.
foreign() {
  for other in "$disk"/*/fuse "$memory"/*/fuse; do
    [ -f "$other" ] || continue
    name=${other%/fuse} name=${name##*/}
    [ "${name%%-*}" = "${id%%-*}" ] && continue
    { read -r state <"${other%/fuse}/state"; } 2>/dev/null || state=unknown
    [ "$state" = reverted ] || refuse "run ${name%%-*} has a fuse here ($state)"
  done
}

# For state that outlives a restart. Nothing to reload: systemd reads it when the machine starts.
boot_unit() {
  units=/etc/systemd/system
  # In memory because the disk could not be written: a restart takes the fuse along.
  case $folder in /run/*|/dev/shm/*) echo unavailable; return ;; esac
  if [ "$uid" != 0 ] || [ ! -d /run/systemd/system ] || ! [ -w $units ]; then echo unavailable; return; fi
  mkdir -p $units/multi-user.target.wants
  {
    echo '[Unit]'; echo "Description=chaos $id"; echo 'After=local-fs.target'
    echo '[Service]'; echo 'Type=oneshot'; echo "ExecStart=/bin/sh $folder/fuse boot"
  } >$units/chaos-"$id".service && ln -sf ../chaos-"$id".service $units/multi-user.target.wants/chaos-"$id".service && echo unit || echo unavailable
}

# As a service where there is systemd: the end of the login's session must not end it, and a killed watcher is started again.
start_watcher() {
  if [ "$uid" = 0 ] && [ -d /run/systemd/system ] && command -v systemd-run >/dev/null 2>&1; then
    systemd-run --quiet --collect --unit "chaos-$id-watch" -p Restart=on-failure -p RestartSec=0 -p KillMode=process -p KillSignal=KILL \
      /bin/sh "$folder/fuse" watch >/dev/null 2>&1 && put service yes || detach
  else
    detach
  fi
  tries=0
  until living "$fast/watcher"; do
    tries=$((tries + 1))
    [ $tries -lt 60 ] || refuse 'the watcher did not start'
    sleep 0.1 2>/dev/null || sleep 1
  done
}
detach() { setsid sh "$folder/fuse" watch </dev/null >/dev/null 2>&1 & }

# -- looking --------------------------------------------------------------------------------------------------------------------------
list() {
  bases
  for found in "$disk"/*/fuse "$memory"/*/fuse; do
    [ -f "$found" ] && [ -O "$found" ] || continue
    folder=${found%/fuse} id=${found%/fuse} id=${id##*/}
    { read -r fast <"$folder/where"; } 2>/dev/null || fast=$folder
    get state; state=${value:-unknown}
    watcher=dead; living "$fast/watcher" && watcher=alive
    holder=dead; living "$fast/holder" && holder=alive
    clock; boot_id
    since=; where=; { read -r since where <"$folder/armed-at"; } 2>/dev/null
    age=-; [ "$where" = "$boot" ] && age=$((now - since))
    left=-; get deadline; [ "$where" = "$boot" ] && left=$((value - now))
    about=$(tr '\n' ' ' <"$folder/about" 2>/dev/null)
    say "fuse id=$id state=$state watcher=$watcher holder=$holder age=$age left=$left $about"
  done
  say end
}

case ${1:-} in
  arm) shift; arm "$@" ;;
  list) list ;;
  hold) open_fuse; hold ;;
  inject) open_fuse; inject ;;
  run) open_fuse; run ;;
  watch) open_fuse; watch ;;
  starved) open_fuse; starved ;;
  forget) open_fuse; forget ;;
  revert) open_fuse; revert 'it was asked to' ;;
  ended) open_fuse; revert 'the connection to the runner ended' ;;
  boot)
    open_fuse
    boot_id; since=; where=; { read -r since where <"$folder/armed-at"; } 2>/dev/null
    [ "$where" = "$boot" ] || insist 'the machine was restarted'
    ;;
  *) leave 64 'usage: arm | list | hold | inject | revert | forget | boot' ;;
esac
exit
