import { describe, expect, it } from 'vitest';
import { alertmanagerProbe } from '../../../../src/probes/alertmanager/index.ts';
import { runProbe } from '../../../support/probe-run.ts';
import { httpTarget } from '../../../support/probe-target.ts';

const fast = { rate: '50/s', timeout: '1s' };

describe('alertmanager probe', () => {
  it('asks for the alert and its labels, and for muted ones only when told to', async () => {
    const seen = new Set<string | null>();
    await using target = await httpTarget((request, response) => {
      const { pathname, searchParams } = new URL(request.url ?? '', 'http://here');
      const [silenced, inhibited] = [searchParams.get('silenced'), searchParams.get('inhibited')];
      seen.add(`${pathname} ${silenced} ${inhibited} ${searchParams.getAll('filter').join(' ')}`);
      response.end(silenced === 'true' ? '[{"status":{"state":"suppressed"}}]' : '[]');
    });
    const spec = { ...fast, url: target.url, alert: 'CheckoutErrors', matchers: ['severity=~"page|ticket"'] };
    await using loud = runProbe(alertmanagerProbe, spec);
    await using all = runProbe(alertmanagerProbe, { ...spec, muted: true });

    await Promise.all([loud.until(1), all.until(1)]);

    expect([loud.samples[0]?.value, all.samples[0]?.value]).toEqual([0, 1]);
    const filters = 'alertname="CheckoutErrors" severity=~"page|ticket"';
    expect(seen).toEqual(new Set([`/api/v2/alerts false false ${filters}`, `/api/v2/alerts true true ${filters}`]));
  });

  it.each([{ alert: '' }, { alert: 'a"b' }, { alert: 'a', matchers: ['severity'] }, { alert: 'a', matchers: ['severity=page'] }])(
    'refuses %j',
    (spec) => {
      expect(alertmanagerProbe.spec.safeParse({ url: 'http://am/', ...spec }).success).toBe(false);
    },
  );
});
