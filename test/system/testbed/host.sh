#!/usr/bin/env bash
# host.sh lan up LAN | lan down LAN
# host.sh uml start LAN N BED DIR | uml stop LAN N BED DIR
# host.sh ns  start LAN N BED DIR | ns  stop LAN N BED DIR
# A network namespace LAN with a bridge (10.77.0.1/24, fd77::1/64) and hosts on it: `uml` N is 10.77.0.(10+N) with a kernel of its own, systemd and netem; its
# disk outlives a stop, as after a power failure. `ns` N is 10.77.0.(100+N), fd77::(100+N): systemd and iptables on this machine's kernel. DIR holds pids and disks.
# shellcheck disable=SC2016 # that shell expands it, not this one
set -euo pipefail
kind=$1 verb=$2 lan=$3 n=${4:-0} bed=${5:-} dir=${6:-}

control_groups() { for at in /sys/fs/cgroup /sys/fs/cgroup/*/; do [ -f "${at%/}/cgroup.procs" ] && echo "${at%/}"; done; true; }

end_group() { # every process of the session that PID leads
  kill -KILL -- "-$1" 2>/dev/null || true
  for _ in $(seq 50); do kill -0 -- "-$1" 2>/dev/null || return 0; sleep 0.05; done
}

case $kind.$verb in
lan.up)
  ip netns add "$lan"
  ip -n "$lan" link set lo up
  ip -n "$lan" link add br0 type bridge
  ip -n "$lan" addr add 10.77.0.1/24 dev br0
  ip -n "$lan" addr add fd77::1/64 dev br0 nodad
  ip -n "$lan" link set br0 up
  ;;
lan.down) ip netns del "$lan" 2>/dev/null || true ;;

uml.start)
  mkdir -p "$dir"
  rm -rf "$dir/sock"
  mkdir "$dir/sock"
  ip -n "$lan" link show "t$n" >/dev/null 2>&1 || ip -n "$lan" tuntap add dev "t$n" mode tap
  ip -n "$lan" link set "t$n" master br0 up
  cd "$bed"
  # TMPDIR: the guest's memory has to be on tmpfs. seccomp: much faster than ptrace. gro: bulk TCP into the guest crawls without it.
  # noreboot: a rebooting guest ends, since it could not open its tap again; it is started anew from here.
  setsid ip netns exec "$lan" env TMPDIR=/dev/shm "LD_LIBRARY_PATH=$bed/lib" ./linux "umid=h$n" "uml_dir=$dir/sock" mem=512M seccomp=on noreboot \
    "ubd0=$dir/disk.cow,$bed/base.img" "ubd1=$dir/data.cow,$bed/data.img" root=/dev/ubda rw rootfstype=ext4 "vec0:transport=tap,ifname=t$n,mac=02:00:00:00:00:$(printf %02x "$n"),gro=1" \
    "bed.name=h$n" "bed.ip=10.77.0.$((10 + n))/24" bed.gw=10.77.0.1 "bed.modules=$bed/modules" con=null con0=null,fd:1 ssl=null \
    </dev/null >"$dir/console" 2>&1 &
  echo $! >"$dir/pid"
  ;;
# Helpers and one process for each of the guest's outlive the first: the whole group goes, and with it what the guest had not written.
uml.stop) [ ! -f "$dir/pid" ] || end_group "$(cat "$dir/pid")" ;;

ns.start)
  own=$lan-n$n group=$lan/n$n
  mkdir -p "$dir/layer" "$dir/root"
  ip netns add "$own"
  ip link add "v$n" netns "$lan" type veth peer name eth0 netns "$own"
  ip -n "$lan" link set "v$n" master br0 up
  ip -n "$own" link set lo up
  ip -n "$own" addr add "10.77.0.$((100 + n))/24" dev eth0
  ip -n "$own" addr add "fd77::$((100 + n))/64" dev eth0 nodad
  ip -n "$own" link set eth0 up
  ip -n "$own" route add default via 10.77.0.1
  mount -t tmpfs tmpfs "$dir/layer"
  mkdir "$dir/layer/upper" "$dir/layer/work"
  mount -t overlay overlay -o "lowerdir=$bed/rootfs,upperdir=$dir/layer/upper,workdir=$dir/layer/work" "$dir/root"
  echo "n$n" >"$dir/root/etc/hostname"
  for at in $(control_groups); do mkdir -p "$at/$group" 2>/dev/null || true; done
  # In a control group of its own from the start: from the root group several of them would share one.
  setsid bash -c 'for at in $1; do echo $$ >"$at/$2/cgroup.procs" 2>/dev/null || true; done; shift 2; exec "$@"' _ "$(control_groups)" "$group" \
    systemd-nspawn -q -b -D "$dir/root" -M "$own" "--hostname=n$n" --register=no --keep-unit "--network-namespace-path=/run/netns/$own" \
    --capability=CAP_NET_ADMIN,CAP_SYS_ADMIN --console=pipe --resolv-conf=off --timezone=off --link-journal=no </dev/null >"$dir/console" 2>&1 &
  echo $! >"$dir/pid"
  ;;
ns.stop)
  own=$lan-n$n group=$lan/n$n
  for _ in 1 2 3 4 5; do
    ended=0
    for at in $(control_groups); do
      while read -r pid; do kill -KILL "$pid" 2>/dev/null && ended=1; done < <(find "$at/$group" -name cgroup.procs -exec cat {} + 2>/dev/null)
    done
    [ $ended = 1 ] || break
    sleep 0.1
  done
  for at in "$dir/root" "$dir/layer"; do
    for _ in $(seq 20); do mountpoint -q "$at" || break; umount "$at" 2>/dev/null || sleep 0.1; done
  done
  ip -n "$lan" link del "v$n" 2>/dev/null || true # a namespace goes later, its interface has to go now
  ip netns del "$own" 2>/dev/null || true
  for at in $(control_groups); do
    [ -d "$at/$group" ] && find "$at/$group" -depth -type d -exec rmdir {} \; 2>/dev/null
    rmdir "$at/$lan" 2>/dev/null
  done
  true
  ;;
*) echo "usage: $0 lan|uml|ns up|down|start|stop LAN [N BED DIR]" >&2; exit 64 ;;
esac
