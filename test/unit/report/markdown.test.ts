import { describe, expect, test } from 'vitest';
import type { JournalEvent } from '../../../src/journal/events.ts';
import { foldRun } from '../../../src/journal/fold.ts';
import { renderReport } from '../../../src/report/markdown.ts';
import {
  abortedBySlo,
  crashedRunner,
  heldFailover,
  lostWrites,
  recoveredRun,
  rollbackIncomplete,
  scenarios,
} from '../../support/journal-builder.ts';
import { revertedByItself } from '../../support/journal-fuses.ts';

const fixtures = new URL('../../fixtures/journals/', import.meta.url);

/** After an intended change: `npx vitest run --project default test/unit/report -u`, then read the difference. */
describe('whole reports', () => {
  test.each(Object.entries({ ...scenarios, 'reverted-by-itself': revertedByItself }))(
    '%s is the report in the fixtures, byte for byte',
    async (name, make) => {
      const report = renderReport(foldRun(make()));

      await expect(report.markdown).toMatchFileSnapshot(new URL(`${name}.md`, fixtures).pathname);
      for (const file of report.files) {
        expect(report.markdown).toContain(`](${file.name})`);
      }
    },
  );

  test('the charts of a held failover are the files in the fixtures', async () => {
    for (const file of renderReport(foldRun(heldFailover())).files) {
      await expect(file.content).toMatchFileSnapshot(new URL(`held-failover-${file.name}`, fixtures).pathname);
    }
  });

  test('the same journal gives the same bytes', () => {
    expect(renderReport(foldRun(heldFailover()))).toEqual(renderReport(foldRun(heldFailover())));
  });

  test('a report made again from itself does not change', () => {
    for (const make of Object.values(scenarios)) {
      const state = foldRun(make());
      const { markdown } = renderReport(state);

      expect(renderReport(state, markdown).markdown).toBe(markdown);
    }
  });
});

describe('what people wrote', () => {
  const first = renderReport(foldRun(crashedRunner())).markdown;
  const edited = first
    .replace('status: Draft  # Draft -> In review -> Reviewed -> Closed', 'status: In review\nscribe: "jon"')
    .replace('# The primary database dies and its standby takes over', '# Our own title')
    .replace('_In your own words, three to five sentences:_', 'The pager was silent. `chaos` was not.')
    .replace('## Surprises', '## Surprises\n\nThe old primary came back by itself!');

  test('is kept when the facts are renewed', () => {
    const renewed = renderReport(foldRun(recoveredRun()), edited).markdown;

    for (const kept of [
      'status: In review',
      'scribe: "jon"',
      '# Our own title',
      'The pager was silent. `chaos` was not.',
      'The old primary came back by itself!',
    ]) {
      expect(renewed).toContain(kept);
    }
    expect(first).toContain('ROLLBACK UNKNOWN');
    expect(renewed).not.toContain('ROLLBACK UNKNOWN');
    expect(renewed).toContain('rollback: "clean"');
    expect(renewed).toContain('Process 5151 of jon took over');
    expect(outside(renewed)).toBe(outside(edited));
  });

  test('survives a deleted block, which is appended again', () => {
    const without = edited.replace(/<!-- chaos:begin impact -->[\s\S]*?<!-- chaos:end impact -->\n/, '');

    const renewed = renderReport(foldRun(recoveredRun()), without).markdown;

    expect(renewed.trimEnd().endsWith('<!-- chaos:end impact -->')).toBe(true);
    expect(count(renewed, '<!-- chaos:begin impact -->')).toBe(1);
    expect(renderReport(foldRun(recoveredRun()), renewed).markdown).toBe(renewed);
  });

  test('survives one deleted marker: nothing is cut, the block stands at the end and is renewed there', () => {
    const broken = edited.replace('<!-- chaos:end timeline -->\n', 'A remark right after the timeline.\n');

    const renewed = renderReport(foldRun(recoveredRun()), broken).markdown;
    const again = renderReport(foldRun(recoveredRun()), renewed).markdown;

    expect(renewed).toContain('A remark right after the timeline.');
    expect(count(renewed, '<!-- chaos:end timeline -->')).toBe(1);
    expect(again).toBe(renewed);
  });

  test('survives without a head, which is put back', () => {
    const headless = edited.slice(edited.indexOf('---\n', 4) + 4);

    const renewed = renderReport(foldRun(recoveredRun()), headless).markdown;

    expect(renewed).toMatch(/^---\ntitle: /);
    expect(renewed).toContain('The old primary came back by itself!');
  });

  test('survives in a file with Windows line ends', () => {
    const renewed = renderReport(foldRun(recoveredRun()), edited.replaceAll('\n', '\r\n')).markdown;

    expect(renewed).toContain('The old primary came back by itself!');
    expect(count(renewed, '<!-- chaos:begin timeline -->')).toBe(1);
    expect(renewed).not.toContain('ROLLBACK UNKNOWN');
  });
});

describe('honesty', () => {
  test('a rollback that is not clean is the first thing said', () => {
    const { markdown } = renderReport(foldRun(rollbackIncomplete()));
    const body = markdown.slice(markdown.indexOf('---\n', 4) + 4).trimStart();

    expect(body.split('\n').slice(1, 3)).toEqual(['> [!CAUTION]', '> **ROLLBACK INCOMPLETE: the system is still changed.**']);
    expect(body).toContain('chaos recover x7p4nn');
  });

  test('a held verdict with lost writes is not green', () => {
    const events = heldFailover().map(
      (event): JournalEvent =>
        event.type === 'ledger.settled' ? { ...event, result: { ...event.result, lost: 2, durable: event.result.durable - 2 } } : event,
    );

    expect(renderReport(foldRun(heldFailover())).markdown).toContain('> [!TIP]');
    expect(renderReport(foldRun(events)).markdown).not.toContain('> [!TIP]');
    expect(renderReport(foldRun(events)).markdown).toContain('LOST');
  });

  test('lost writes stand in the banner', () => {
    const { markdown } = renderReport(foldRun(lostWrites()));

    expect(markdown.slice(0, markdown.indexOf('<!-- chaos:end verdict -->'))).toContain('3 of 272 acknowledged writes LOST');
  });

  test('a runner that died has no verdict', () => {
    const { markdown } = renderReport(foldRun(crashedRunner()));

    expect(markdown).toContain('**NO VERDICT** · unfinished · rollback unknown');
    expect(markdown).toContain('lost writes');
  });

  test('an empty journal still gives a report', () => {
    expect(renderReport(foldRun([])).markdown).toContain('**NO VERDICT**');
  });
});

test('a number that a probe reads is compared too', () => {
  const noise = (due: number): number => (((due / 100) * 389) % 1_009) / 100;
  const events = heldFailover().map((event): JournalEvent => {
    if (event.type !== 'probe.sampled' || event.probe !== 'checkout') return event;
    const samples = event.samples.map((sample) => ({ ...sample, value: (sample.due < 10_300 ? 100 : 300) + noise(sample.due) }));
    return { ...event, samples };
  });
  const rows = renderReport(foldRun(events))
    .markdown.split('\n')
    .filter((line) => line.startsWith('| `checkout` | value |'));

  expect(rows).toHaveLength(1);
  expect(rows[0]).toMatch(/\| 80 \/ 245 \| 80 \/ 245 \| 10\d\.\d+ \| 30\d\.\d+ \| \+(?:199|200)\.\d+, .* \| 1\.00 \| \*\*higher\*\* \|/);
});

test('an abort rule that was off is told, and one that the plan does not have is not', () => {
  const withAbort = (abort: 'off' | undefined) => {
    const events = abortedBySlo().flatMap((event): JournalEvent[] => {
      if (event.type === 'abort.calibrated') return [];
      if (event.type !== 'run.started') return [event];
      const { abort: _planned, ...plan } = event.plan;
      return [{ ...event, plan: abort === undefined ? plan : { ...plan, abort } }];
    });
    return renderReport(foldRun(events)).markdown;
  };

  expect(withAbort('off')).toContain('**It was off:**');
  expect(withAbort(undefined)).not.toContain('Abort rule');
});

test('an abort by the rule has an abort latency, from the sample that was one too many', () => {
  const events = abortedBySlo().flatMap((event): JournalEvent[] => {
    if (event.type === 'slo.breached') return [];
    if (event.type !== 'abort.decided') return [event];
    const reason = { kind: 'samples', probe: 'checkout', slo: 'checkout-errors', rule: 'consecutive', bad: 3, of: 3 } as const;
    return [{ ...event, reason }];
  });

  expect(renderReport(foldRun(events)).markdown).toContain('| abort latency | t7 − t3 | 388 ms |');
});

test('the fault is compared with the baseline, probe by probe, and only where there was a fault', () => {
  const { markdown } = renderReport(foldRun(heldFailover()));
  const row = (measure: string): string => markdown.split('\n').find((line) => line.startsWith(`| \`checkout\` | ${measure} |`)) ?? '';

  expect(markdown).toContain('Baseline: +2.2s to +10.2s, without its warm-up. Fault: +10.3s to +34.7s,');
  expect(row('latency')).toContain('no change shown');
  expect(row('failed')).toContain('**more failures**');
  const untouched = heldFailover().filter(({ type }) => !type.startsWith('fault.'));
  expect(renderReport(foldRun(untouched)).markdown).not.toContain('Fault against baseline');
});

test('an SLO with an objective has its error budget counted, and only where something was injected', () => {
  const { markdown } = renderReport(foldRun(heldFailover()));
  const untouched = heldFailover().filter(({ type }) => !type.startsWith('fault.'));

  // 41 of 487 at ten a second for 48.6 s: 84 times 0.1 %, and 41 / (0.001 · 25.97 million) of the month.
  expect(markdown).toContain('| `checkout-errors` | 99.9 % over 30 d | 41 of 487 in 48.6 s | 84.2× | 0.16 % | 0.16 % |');
  expect(renderReport(foldRun(untouched)).markdown).not.toContain('Error budget');
});

describe('quantiles', () => {
  /** As if every sample of the checkout probe had been taken `times` times. */
  const withSamples = (times: number) =>
    heldFailover().map(
      (event): JournalEvent =>
        event.type === 'probe.sampled' ? { ...event, samples: event.samples.flatMap((sample) => new Array(times).fill(sample)) } : event,
    );
  const row = (events: JournalEvent[]): string =>
    renderReport(foldRun(events))
      .markdown.split('\n')
      .find((line) => line.startsWith('| `checkout` | ') && line.includes('over 500 ms')) ?? '';

  test('have their interval, and a p99 is printed only with enough samples for it', () => {
    expect(row(heldFailover())).toMatch(/\| p90 [\d.]+ m?s \([^)]+\), max [\d.]+ m?s \|/);
    expect(row(withSamples(4))).toMatch(/\| [\d.]+ m?s \([\d.]+ m?s to [\d.]+ m?s\) \| [\d.]+ m?s \([\d.]+ m?s to [\d.]+ m?s\) \|/);
  });

  test('over a window with too few samples for them are called what they are', () => {
    const finer = heldFailover().map((event): JournalEvent => {
      if (event.type !== 'run.started') return event;
      return { ...event, plan: { ...event.plan, slos: event.plan.slos.map((slo) => ({ ...slo, measure: 'p99' })) } };
    });

    expect(renderReport(foldRun(finer)).markdown).toContain('With about 100 samples in a window the 2 slowest decide');
    expect(renderReport(foldRun(heldFailover())).markdown).not.toContain('in a window the');
  });
});

test('text from a target cannot leave its place', () => {
  const { markdown } = renderReport(foldRun(rollbackIncomplete()));
  const outsideCode = markdown.replace(/```[\s\S]*?```/g, '');

  expect(outsideCode).not.toMatch(/<img/);
  expect(outsideCode).not.toMatch(/^# Everything/m);
  expect(count(markdown, '<!-- chaos:end verdict -->')).toBe(1);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that there are none is the point
  expect(markdown).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f]/);
});

function outside(markdown: string): string {
  const body = markdown.slice(markdown.indexOf('---\n', 4) + 4);
  return body.replace(/<!-- chaos:begin ([a-z-]+) -->[\s\S]*?<!-- chaos:end \1 -->/g, '[$1]');
}

function count(text: string, part: string): number {
  return text.split(part).length - 1;
}
