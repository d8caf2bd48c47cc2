/**
 * The shell texts of `clock-skew`. The right time comes from /proc/uptime and never from a time that was written down: it is right however
 * long the fault was held. What somebody else set meanwhile stays as it is.
 */
import type { HostScriptRequest, HostScripts } from '../host-fault/contract.ts';
import { clockFunctions, serviceFunctions } from './clock.ts';
import { type ClockSkewParameters, offsetMs } from './schema.ts';

export function scripts({ parameters }: HostScriptRequest<ClockSkewParameters>): HostScripts {
  const seconds = offsetMs(parameters.offset) / 1_000;
  return {
    look: look(seconds),
    inject: inject(seconds),
    verify: verify(seconds),
    undo: undo(seconds),
    check,
    undoInWords: 'set the clock to the saved difference from /proc/uptime, start the stopped time services',
  };
}

export function notes({ offset }: ClockSkewParameters): readonly string[] {
  const future = offset.startsWith('+');
  return [
    future
      ? 'Timers and cron jobs of the time that is skipped run; certificates, tokens and sessions that end in it are expired.'
      : 'Certificates and tokens younger than the skew are not valid yet; timers and cron jobs of that time run a second time.',
    'The hardware clock is not touched. Log lines and files made meanwhile keep the wrong time.',
  ];
}

/** Bit 25 of the effective capabilities is CAP_SYS_TIME (capabilities(7)); a user namespace has it in name only. */
const allowed = `[ "$(id -u)" = 0 ] || refuse 'needs root: log in as root, or set become: sudo in the environment'
[ -r /proc/uptime ] || refuse '/proc is not there'
# Images of virtual machines are made from those of containers, and keep their marks.
if have systemd-detect-virt; then systemd-detect-virt --quiet --container; else [ -e /.dockerenv ] || [ -e /run/.containerenv ]; fi &&
  refuse 'this is a container: its clock is that of the machine below, make that the target'
set -- $(sed -n 's/^CapEff:[[:space:]]*//p' /proc/self/status)
capable=\${1%??????} capable=\${capable#"\${capable%?}"}
case $capable in [2367abef]) ;; *) refuse 'the clock cannot be set here: the login has no CAP_SYS_TIME' ;; esac
set -- $(cat /proc/self/uid_map 2>/dev/null)
[ "\${3:-4294967295}" = 4294967295 ] || refuse 'the clock cannot be set in a user namespace: make the machine below the target'`;

const units = 'systemd-timesyncd chrony chronyd ntp ntpd ntpsec ntpd-rs openntpd ptp4l phc2sys';

/** What sets the clock right: services that can be stopped and started again. */
const services = `manager=none found=
if [ -d /run/systemd/system ] && have systemctl; then
  manager=systemd
  for unit in ${units}; do
    systemctl is-active --quiet "$unit.service" || continue
    # chronyd is another name of chrony in some distributions.
    name=$(systemctl show -p Id "$unit.service" | sed 's/^Id=//')
    case "+$found+" in *"+$name+"*) ;; *) found=$found\${found:++}$name ;; esac
  done
elif have rc-service; then
  manager=openrc
  for name in ${units}; do
    if rc-service "$name" status >/dev/null 2>&1; then found=$found\${found:++}$name; fi
  done
fi
if [ -z "$found" ]; then
  daemon=$(cat /proc/[0-9]*/comm 2>/dev/null | grep -xE 'systemd-timesyn|chronyd|ntpd|ntp-daemon|ptp4l|phc2sys' | head -n 1)
  [ -z "$daemon" ] || refuse "$daemon sets the clock and is no service that can be stopped and started here: stop it for the game day"
fi
save manager "$manager"; save services "\${found:-none}"`;

function look(seconds: number): string {
  return `${allowed}
${services}
${clockFunctions.replaceAll(/@base-[sc]@/g, '0')}
[ $(($(date +%s) + ${seconds})) -gt 86400 ] || refuse 'the clock cannot be set to a time before 1970'
read_base || refuse 'date cannot tell the seconds since 1970'
save base-s "$base_s"; save base-c "$base_c"; save boot "$(boot_id)"`;
}

function inject(seconds: number): string {
  return `${clockFunctions}${serviceFunctions}
[ "$(boot_id)" = @boot@ ] || { echo 'the target was restarted since it was looked at: run again'; exit 1; }
for name in $(each_service); do service stop "$name" || { echo "$name cannot be stopped"; exit 1; }; done
read_uptime
skew_s=$(($(date +%s) - up_s - @base-s@))
if [ $skew_s -lt -3 ] || [ $skew_s -gt 3 ]; then echo 'somebody set the clock since it was looked at: run again'; exit 1; fi
set_clock ${seconds}`;
}

function verify(seconds: number): string {
  return `${clockFunctions}${serviceFunctions}
read_skew || exit 1
size_skew
echo "the clock is off by $sign$size s, asked are ${seconds} s"
for name in $(each_service); do if running "$name"; then echo "$name runs again"; fi; done
near ${seconds} || { echo 'something sets the clock right (a virtual machine is often set by its host)'; exit 3; }
measure clockSkew "$size_s$((size_c / 10))$((size_c % 10))0"`;
}

/** After a restart the clock is that of the hardware, and services are as their configuration says. */
function undo(seconds: number): string {
  return `${clockFunctions}${serviceFunctions}
[ "$(boot_id)" = @boot@ ] || exit 0
read_skew || exit 1
if near ${seconds}; then set_clock 0 || exit 1; fi
failed=0
for name in $(each_service); do running "$name" || service start "$name" || failed=1; done
exit $failed`;
}

const check = `${clockFunctions}${serviceFunctions}
if [ "$(boot_id)" != @boot@ ]; then echo 'restarted since: the clock is that of the hardware'; exit 0; fi
read_skew || exit 3
size_skew
synchronised=no
if [ @services@ != none ] && have timedatectl; then synchronised=$(timedatectl show -p NTPSynchronized 2>/dev/null | sed 's/.*=//'); fi
if near 0; then echo "the clock is off by $sign$size s from before"
elif [ "$synchronised" = yes ]; then echo "the clock was set by $sign$size s since before, and is synchronised with its time servers"
else echo "the clock is $sign$size s from where it was: set by somebody else, look whether it is right"; exit 3; fi
for name in $(each_service); do
  running "$name" || { echo "$name does not run"; exit 3; }
  echo "$name runs"
done`;
