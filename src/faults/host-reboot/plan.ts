import type { Operation } from '../../plan/plan.ts';
import type { FaultPlan, FaultRequest } from '../contract.ts';
import { durationMs } from '../fields.ts';
import { claimOperations } from '../fuse/claim.ts';
import type { HostRebootParameters } from './schema.ts';

const quick = 15_000;

/** Which start of the host this is: https://www.kernel.org/doc/html/latest/admin-guide/sysctl/kernel.html#random */
const bootText = 'cat /proc/sys/kernel/random/boot_id';

const lookText = `export LC_ALL=C PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"
have() { command -v "$1" >/dev/null 2>&1; }
[ "$(id -u)" = 0 ] || { echo 'needs root: log in as root, or set become: sudo in the environment'; exit 3; }
if have systemd-detect-virt; then systemd-detect-virt --quiet --container; else [ -e /.dockerenv ] || [ -e /run/.containerenv ]; fi &&
  { echo 'this is a container: it is not there to be restarted, make the machine below the target'; exit 3; }
${bootText} || { echo 'its kernel does not tell one start from another'; exit 3; }`;

/** A moment later, so that the command has ended when the connection goes. */
const rebootTexts = {
  orderly: `export PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"
if [ -d /run/systemd/system ]; then how='systemctl reboot'; else how=reboot; fi
command -v \${how%% *} >/dev/null || { echo "there is no \${how%% *} here" >&2; exit 1; }
setsid sh -c "sleep 1; $how" </dev/null >/dev/null 2>&1 &
exit 0`,
  hard: `[ -w /proc/sysrq-trigger ] || { echo '/proc/sysrq-trigger cannot be written' >&2; exit 1; }
setsid sh -c 'sleep 1; echo 1 >/proc/sys/kernel/sysrq; echo b >/proc/sysrq-trigger' </dev/null >/dev/null 2>&1 &
exit 0`,
} as const;

export function plan(request: FaultRequest<HostRebootParameters>): FaultPlan {
  const { parameters, targets } = request;
  return {
    hosts: targets.map(({ id }) => id),
    operations: [
      ...claimOperations(request, { atLeastMs: 2 * durationMs(parameters.backWithin), boot: true }),
      ...targets.flatMap(({ id }) => operationsOn(id, parameters)),
    ],
    notes: [
      `A restart cannot be taken back: what was in memory${parameters.how === 'hard' ? ' or not yet on disk' : ''} is lost. Rollback waits ${parameters.backWithin} for the host.`,
      'A host whose disk must be unlocked or whose start waits for a person does not come back by itself.',
    ],
  };
}

function operationsOn(target: string, { how }: HostRebootParameters): Operation[] {
  const base = { target, via: 'shell', changes: false, timeoutMs: quick } as const;
  return [
    { ...base, id: `look-${target}`, stage: 'prepare', purpose: 'see that it can be restarted', text: lookText, privileged: true },
    {
      ...base,
      id: `reboot-${target}`,
      stage: 'inject',
      purpose: how === 'orderly' ? 'restart it in good order' : 'restart it at once',
      text: rebootTexts[how],
      privileged: true,
      changes: true,
      undo: 'comes back by itself',
    },
    { ...base, id: `boot-${target}`, stage: 'verify', purpose: 'see which start of the host it is', text: bootText },
    { ...base, id: `back-${target}`, stage: 'revert', purpose: 'wait until it can be logged in to', text: bootText },
    { ...base, id: `up-${target}`, stage: 'verify-reverted', purpose: 'see that it is up', text: `${bootText} && cat /proc/uptime` },
  ];
}
