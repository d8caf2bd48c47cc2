/**
 * What faults need of a host beyond a POSIX shell and its usual tools, each with a text that finds out without changing anything. A fault's
 * own `look` stays the judge when a plan is run; this is for telling beforehand, for a whole fleet, what would work where.
 */
import type { HostNeed } from './contract.ts';
import { type Asked, kernelHas, mayProgram, takesWords } from './network/ask-tc.ts';

interface Need {
  /** What it is, in a word or two. */
  readonly name: string;
  /** POSIX shell, as root where that can be had. Exit 0: it is there; 3: nobody can tell without root; else it prints why not, in a line. */
  readonly check: string;
  /** What brings it, for people. */
  readonly remedy: string;
}

const asRoot = '[ "$(id -u)" = 0 ] || exit 3';
const told = `[ -z "$why" ] || { echo "$why"; exit 1; }`;
const words = (asked: Asked): string => `have tc || exit 3
${takesWords(asked)}
[ "$why" != denied ] || exit 3
${told}`;
const discipline = (asked: Asked): string => `${words(asked)}
${kernelHas(asked)}
${told}`;
const netemWords = (options: string): string => words({ kind: 'netem', options });
const newerTc = 'install a newer iproute2 (the practice lab has a tc of its own, without it); the other network faults work as they are';

export const hostNeeds: Readonly<Record<HostNeed, Need>> = {
  fuse: {
    name: 'fuse',
    check: `have setsid || { echo 'setsid is missing'; exit 1; }
have awk || { echo 'awk is missing'; exit 1; }
[ -r /proc/uptime ] || { echo '/proc is not there'; exit 1; }
if [ "$(id -u)" = 0 ]; then set -- /var/lib /run; else set -- "$HOME" /dev/shm; fi
# As the fuse does it: on disk, else in memory.
for d; do [ -d "$d" ] && [ -w "$d" ] && [ "$(df -Pk "$d" | awk 'NR == 2 { print ($4 > 64) }')" = 1 ] && exit 0; done
echo "neither $1 nor $2 can be written, or both are full"; exit 1`,
    remedy: 'install util-linux and awk; the fuse needs a few kB in /var/lib or /run (root), or in the home of the login or /dev/shm',
  },
  root: {
    name: 'root',
    check: `[ "$(id -u)" = 0 ] || { echo "logged in as $(id -un)"; exit 1; }`,
    remedy: 'log in as root, or set ssh.become: sudo in the environment file and allow the login sudo without a password',
  },
  tc: {
    name: 'tc',
    check: `have tc || { echo 'tc is missing'; exit 1; }`,
    remedy: 'install iproute2 (Debian, Ubuntu, Alpine, SUSE) or iproute-tc (Fedora, RHEL)',
  },
  network: {
    name: 'leave to program the network',
    check: `have tc || exit 3
${mayProgram}
${told}`,
    remedy: 'log in as root, or set ssh.become: sudo in the environment file and allow the login sudo without a password',
  },
  netem: {
    name: 'sch_netem',
    check: discipline({ kind: 'netem', options: 'delay 1ms' }),
    remedy:
      'install linux-modules-extra-$(uname -r) (Ubuntu, clouds), linux-image-amd64 instead of the cloud image (Debian) or kernel-modules-extra (Fedora, RHEL), then modprobe sch_netem',
  },
  tbf: {
    name: 'sch_tbf',
    check: discipline({ kind: 'tbf', options: 'rate 1mbit burst 10k latency 1ms' }),
    remedy: 'install the package with the modules of the kernel, then modprobe sch_tbf',
  },
  corrupt: { name: 'netem corrupt', check: netemWords('corrupt 1%'), remedy: newerTc },
  duplicate: { name: 'netem duplicate', check: netemWords('duplicate 1%'), remedy: newerTc },
  reorder: { name: 'netem reorder', check: netemWords('delay 1ms reorder 25%'), remedy: newerTc },
  firewall: {
    name: 'nft or iptables',
    check: `have nft || have iptables || { echo 'neither is installed'; exit 1; }
${asRoot}
said=$(unshare -n nft add table inet chaos_probe 2>&1) && exit 0
said=$(unshare -n iptables -w 5 -N chaos-probe 2>&1) && exit 0
echo "neither works: $said" | tr '\\n' ' '; exit 1`,
    remedy: 'install nftables (or iptables); the kernel must have nf_tables',
  },
  systemd: {
    name: 'systemd',
    check: `[ -d /run/systemd/system ] && have systemctl || { echo 'it does not run here'; exit 1; }`,
    remedy: 'use process-kill or command on hosts with another init system',
  },
  resolver: {
    name: 'getent',
    check: `have getent || { echo 'getent is missing'; exit 1; }`,
    remedy: 'install libc-bin (Debian, Ubuntu), glibc-common (Fedora, RHEL) or musl-utils (Alpine)',
  },
  clock: {
    name: 'own clock',
    check: `if have systemd-detect-virt; then systemd-detect-virt --quiet --container; else [ -e /.dockerenv ] || [ -e /run/.containerenv ]; fi &&
  { echo 'a container has the clock of the machine below'; exit 1; }
exit 0`,
    remedy: 'make the machine below the target',
  },
  containers: {
    name: 'docker or podman',
    check: `for tool in docker podman; do have $tool && { said=$($tool ps -q 2>&1 >/dev/null) && exit 0; }; done
echo "\${said:-neither is installed}" | tail -n 1; exit 1`,
    remedy: 'install docker or podman, or start its service',
  },
  blade: {
    name: 'blade',
    check: `have blade || [ -x /opt/chaosblade/blade ] || { echo 'it is not installed'; exit 1; }`,
    remedy: 'install ChaosBlade; all other faults work without it',
  },
};
