import { expect, test } from 'vitest';
import { type DoctorHost, type Lack, renderDoctor } from '../../../src/views/doctor-view.ts';

const well: DoctorHost = {
  host: 'web-1',
  connected: true,
  examination: {
    os: 'Debian GNU/Linux 12 (bookworm)',
    kernel: 'Linux 6.1.0',
    init: 'systemd',
    root: true,
    clock: { offsetMs: 20, withinMs: 150 },
    freeBytes: 3.5 * 1_024 ** 3,
    stressNg: false,
  },
  problems: [],
  lacking: ['chaosblade'],
};
const away: DoctorHost = { host: 'web-2', connected: false, problems: ['connection refused; is sshd running?'], lacking: [] };
const lack: Lack = {
  name: 'blade',
  hosts: ['web-1'],
  reasons: ['it is not installed'],
  disables: ['chaosblade'],
  remedy: 'install ChaosBlade',
};

test('a host is a line, a problem a sentence, a lack says whom it hits and what mends it', () => {
  expect(renderDoctor([well, away], [lack], { color: false })).toEqual([
    'HOST   OS                              KERNEL       INIT     ROOT  CLOCK    FREE    BURNER    FAULTS',
    'web-1  Debian GNU/Linux 12 (bookworm)  Linux 6.1.0  systemd  yes   ±0.15 s  3.5 GB  built-in  all but 1',
    'web-2  not reached',
    '',
    'web-2: connection refused; is sshd running?',
    '',
    'blade: not on web-1 (it is not installed). Cannot run there: chaosblade. To mend it: install ChaosBlade.',
    '',
    '1 of 2 hosts are ready',
  ]);
});

test('a lack of many hosts names a few of them', () => {
  const hosts = Array.from({ length: 9 }, (_, index) => `web-${index + 1}`);
  const lines = renderDoctor(
    [...hosts, 'db-1'].map((host) => ({ ...well, host })),
    [{ ...lack, hosts }],
    { color: false },
  );

  expect(lines.join(' ')).toContain('not on web-1, web-2, web-3, web-4, web-5, web-6 and 3 more');
});

test('a clock that is off is told with its sign', () => {
  const { examination } = well;
  if (examination === undefined) throw new Error('it has one');
  const late = { ...well, examination: { ...examination, clock: { offsetMs: -4_210, withinMs: 100 } }, problems: ['its clock'] };

  const [, line = ''] = renderDoctor([late], [], { color: false });

  expect(line).toContain('-4.21 s');
  expect(line).toContain('not ready');
});
