import { expect, vi } from 'vitest';
import type { Testbed } from './testbed.ts';

/** What of any run is on the target. */
async function residue(bed: Testbed, target: string): Promise<string> {
  const look = `ls -A /var/lib/chaos /run/chaos 2>/dev/null; ls /etc/systemd/system | grep chaos; systemctl list-units --all --plain --no-legend 'chaos-*'
    tc qdisc show | grep c4a; nft list tables 2>/dev/null | grep chaos; ip -o link | grep ' c-'; grep -ls 'CHAOS_FAULT[=]' /proc/[0-9]*/environ; pgrep -af 'chaos/[a-z0-9.-]*/fus[e]'
    grep -n chaos /etc/hosts; ls /data /srv 2>/dev/null | grep chaos`;
  return (await bed.ssh(target, `{ ${look}; } | grep -v '^/[a-z/]*:$'; true`)).out.trim();
}

/** systemd forgets a unit that has ended a moment later. */
export async function expectClean(bed: Testbed, target: string): Promise<void> {
  await vi.waitFor(async () => expect(await residue(bed, target)).toBe(''), { timeout: 15_000, interval: 500 });
}
