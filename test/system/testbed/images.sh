#!/usr/bin/env bash
# Builds what test hosts boot from, once, into a cache outside the clone, and prints its folder:
#   rootfs    a Debian 12 tree           base.img   the same as an ext4 disk
#   linux     a User-Mode Linux kernel   data.img   a disk of 128 MB, for /data
#   id        the key of the tests       host.pub   the hosts' own key
# The folder's name holds a hash of this file, so a changed recipe is a new cache; it appears only when it is whole.
set -euo pipefail
here=$(dirname "$(realpath "$0")")
cache=${CHAOS_TESTBED:-${XDG_CACHE_HOME:-$HOME/.cache}/chaos-testbed}
bed=$cache/$(sha256sum "$here/images.sh" | cut -c1-12)
if [ -d "$bed" ]; then echo "$bed"; exit 0; fi
mkdir -p "$cache"
exec 9>"$cache/lock"
flock 9 # two test runs may want it at once
if [ -d "$bed" ]; then echo "$bed"; exit 0; fi
work=$bed.building
rm -rf --one-file-system "$work"
mkdir -p "$work"
root=$work/rootfs

# The mirrors that this machine's own apt uses.
# shellcheck disable=SC2016 # for apt to expand
mirror() { apt-get indextargets --format '$(REPO_URI)' "Codename: $1" | head -n 1; }
main=$(mirror bookworm) security=$(mirror bookworm-security)
[ -n "$main" ] || { echo 'apt on this machine knows no Debian 12 (bookworm) to build test hosts from' >&2; exit 1; }

# -- the userland -----------------------------------------------------------------------------------------------------------------------
packages=systemd,systemd-sysv,udev,dbus,openssh-server,iproute2,iputils-ping,procps,kmod,netbase,iptables,nftables,sudo,util-linux,busybox,mksh,stress-ng,systemd-timesyncd,podman,docker.io
mmdebstrap --quiet --mode=root --variant=minbase --include=$packages --aptopt='APT::Install-Recommends "false"' \
  --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
  bookworm "$root" "deb $main bookworm main" ${security:+"deb $security bookworm-security main"} >&2

ssh-keygen -q -t ed25519 -N '' -C tests -f "$work/id"
rm -f "$root"/etc/ssh/ssh_host_*
ssh-keygen -q -t ed25519 -N '' -C host -f "$root/etc/ssh/ssh_host_ed25519_key"
cp "$root/etc/ssh/ssh_host_ed25519_key.pub" "$work/host.pub"
cat >"$root/etc/ssh/sshd_config.d/tests.conf" <<'X'
HostKey /etc/ssh/ssh_host_ed25519_key
PermitRootLogin prohibit-password
PasswordAuthentication no
UseDNS no
X
# root; ops, who may become root without a password; guest, who may not.
for login in ops guest; do chroot "$root" useradd -m -s /bin/sh $login; done
echo 'ops ALL=(root) NOPASSWD: ALL' >"$root/etc/sudoers.d/ops"
chmod 440 "$root/etc/sudoers.d/ops"
for home in root home/ops home/guest; do
  install -d -m 700 "$root/$home/.ssh"
  install -m 600 "$work/id.pub" "$root/$home/.ssh/authorized_keys"
done
for login in ops guest; do chroot "$root" chown -R $login: /home/$login; done
sed -i 's/^root:[^:]*:/root:*:/' "$root/etc/shadow"

# Two services to kill and to stop, each answers `ok`: `demo` on port 8080 comes back by itself, `demo-once` on port 8081 does not.
cat >"$root/usr/local/bin/demo" <<'X'
use IO::Socket::INET;
my $server = IO::Socket::INET->new(LocalPort => $0 =~ /once/ ? 8081 : 8080, Listen => 5, ReuseAddr => 1) or die;
while (my $client = $server->accept) { <$client>; print $client "HTTP/1.0 200 OK\r\n\r\nok\n"; close $client }
X
cat >"$root/etc/systemd/system/demo.service" <<'X'
[Service]
ExecStart=/usr/bin/perl /usr/local/bin/demo
Restart=always
RestartSec=200ms
[Install]
WantedBy=multi-user.target
X
ln -s demo "$root/usr/local/bin/demo-once"
sed -e 's|bin/demo$|&-once|' -e '/^Restart/d' "$root/etc/systemd/system/demo.service" >"$root/etc/systemd/system/demo-once.service"

# A daemon that keeps the clock, for faults to switch off; nobody answers it, so the clock is this machine's until a test moves it.
mkdir "$root/etc/systemd/timesyncd.conf.d"
printf '[Time]\nNTP=10.77.0.1\nFallbackNTP=\n' >"$root/etc/systemd/timesyncd.conf.d/tests.conf"

# A container that sleeps and is started again when it dies: busybox alone, since there is no registry to fetch an image from.
mkdir -p "$root/srv/box/bin" "$root/srv/box/lib/x86_64-linux-gnu" "$root/srv/box/lib64"
cp "$root/bin/busybox" "$root/srv/box/bin/"
for lib in libc.so.6 libresolv.so.2; do cp -L "$root/lib/x86_64-linux-gnu/$lib" "$root/srv/box/lib/x86_64-linux-gnu/"; done
cp -L "$root/lib64/ld-linux-x86-64.so.2" "$root/srv/box/lib64/"
# Docker is there as well but off, until a test starts it. Without a bridge and its rules: this kernel lacks them, and these containers have no network.
mkdir -p "$root/etc/docker"
echo '{ "bridge": "none", "iptables": false, "ip6tables": false, "storage-driver": "vfs" }' >"$root/etc/docker/daemon.json"
rm "$root"/etc/systemd/system/{multi-user.target.wants/{docker,containerd}.service,sockets.target.wants/docker.socket}
printf '[storage]\ndriver = "vfs"\nrunroot = "/run/containers/storage"\ngraphroot = "/var/lib/containers/storage"\n' >"$root/etc/containers/storage.conf"

# Network from the kernel's command line, and what this kernel lacks: `core id` in cpuinfo (ps and top fail without it), and a buffer of
# the size of the real third-level cache (stress-ng maps one).
cat >"$root/usr/local/sbin/bed-net" <<'X'
#!/bin/sh
for word in $(cat /proc/cmdline); do
  case $word in bed.ip=*) ip=${word#*=} ;; bed.gw=*) gw=${word#*=} ;; bed.name=*) name=${word#*=} ;; bed.modules=*) modules=${word#*=} ;; esac
done
echo "$name" >/proc/sys/kernel/hostname
ip link set lo up
grep -qw "$name" /etc/hosts || echo "${ip%/*} $name" >>/etc/hosts
ip addr add "$ip" dev vec0
ip link set vec0 up
ip route add default via "$gw"
grep -q '^core id' /proc/cpuinfo || { awk '{ print } /^bogomips/ { print "core id\t\t: 0" }' /proc/cpuinfo >/run/cpuinfo; mount --bind /run/cpuinfo /proc/cpuinfo; }
echo 1 >/proc/sys/vm/overcommit_memory
mkdir -p /lib/modules
mount -t hostfs none /lib/modules -o "$modules"
mount /dev/ubdb /data # here, since without udev systemd would wait for the device
X
chmod +x "$root/usr/local/sbin/bed-net"
units=$root/etc/systemd/system
cat >"$units/bed-net.service" <<'X'
[Unit]
DefaultDependencies=no
ConditionKernelCommandLine=bed.ip
After=systemd-remount-fs.service local-fs.target
Before=network.target ssh.service
Wants=network.target
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/local/sbin/bed-net
X
mkdir -p "$units/multi-user.target.wants"
for unit in bed-net demo demo-once; do ln -sf ../$unit.service "$units/multi-user.target.wants/$unit.service"; done
rm -f "$units"/timers.target.wants/* "$units"/getty.target.wants/* "$units"/multi-user.target.wants/e2scrub_reap.service
for unit in systemd-networkd-wait-online getty@tty1 serial-getty@ttyS0 systemd-udev-settle systemd-random-seed systemd-udevd \
  systemd-udev-trigger systemd-hwdb-update systemd-journal-flush systemd-binfmt systemd-pstore ldconfig; do
  ln -sf /dev/null "$units/$unit.service"
done
ln -sf /lib/systemd/system/multi-user.target "$units/default.target"
: >"$root/etc/machine-id"
: >"$root/etc/fstab"
# Each host knows itself (sudo looks that up) and the first of the others; the rest is asked of the network's own name server.
{
  echo '127.0.0.1 localhost'
  for n in 1 2 3 4 5 6 7 8 9; do printf '10.77.0.%s h%s\n10.77.0.%s n%s\n' $((10 + n)) $n $((100 + n)) $n; done
} >"$root/etc/hosts"
sed -i 's/^hosts:.*/hosts: files dns/' "$root/etc/nsswitch.conf"
rm -f "$root/etc/resolv.conf"
printf 'nameserver 10.77.0.1\noptions timeout:1 attempts:2\n' >"$root/etc/resolv.conf"
mkdir "$root/data"
truncate -s 2G "$work/base.img"
mkfs.ext4 -q -F -J size=16 -E lazy_itable_init=0,lazy_journal_init=0 -d "$root" "$work/base.img"
truncate -s 128M "$work/data.img"
mkfs.ext4 -q -F -m 0 "$work/data.img"

# -- the kernel: a newer one than Debian 12 has, in an apt of its own ---------------------------------------------------------------------
apt=$work/apt
mkdir -p "$apt"/{lists/partial,cache/archives/partial,etc}
: >"$apt/status"
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $main sid main" >"$apt/sources.list"
own=(-o "Dir::State=$apt" -o "Dir::State::Lists=$apt/lists" -o "Dir::State::status=$apt/status" -o "Dir::Cache=$apt/cache"
  -o "Dir::Etc::sourcelist=$apt/sources.list" -o "Dir::Etc::sourceparts=/dev/null" -o "Dir::Etc::parts=$apt/etc"
  -o "Dir::Etc::preferencesparts=$apt/etc" -o APT::Sandbox::User=root)
apt-get "${own[@]}" -qq update >&2 || { echo "no Debian unstable (sid) at $main: the test hosts' kernel comes from there" >&2; exit 1; }
(cd "$apt" && apt-get "${own[@]}" -qq download user-mode-linux libc6 >&2 && dpkg-deb -x user-mode-linux_*.deb uml && dpkg-deb -x libc6_*.deb libc)
cp -a "$apt/libc/usr/lib/x86_64-linux-gnu" "$work/lib"
cp -a "$apt/uml/usr/lib/uml/modules" "$work/modules"
cp "$apt/uml/usr/bin/linux.uml" "$work/linux"
# It wants a newer C library than ours. Through that library's loader it does not run, so the path of the loader in it is replaced, in
# place and at the same length; it is started in this folder.
ln -s lib/ld-linux-x86-64.so.2 "$work/ld.so"
perl -0pi -e 's#/lib64/ld-linux-x86-64\.so\.2\0#"./ld.so" . "\0" x 21#e' "$work/linux"
rm -rf "$apt"
mv "$work" "$bed"
echo "$bed"
