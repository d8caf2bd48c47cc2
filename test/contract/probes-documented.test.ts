import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseEnvironment } from '../../src/environment/load.ts';
import { probeRegistry } from '../../src/probes/registry.ts';

const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
const head = 'apiVersion: chaos/v1\nkind: Environment\nname: readme\ntier: lab\nhosts: { web-1: {} }\n';

describe('the README', () => {
  it('has every probe in its table, and no other', () => {
    const table = /\| probe \|[^\n]*\n\|[-|]+\n((?:\|[^\n]*\n)+)/.exec(readme)?.[1] ?? '';
    const kinds = [...table.matchAll(/^\| `([a-z-]+)` \|/gm)].map(([, kind]) => kind);

    expect(kinds.toSorted()).toEqual([...probeRegistry.keys()].toSorted());
  });

  it('shows probes and SLOs that are valid', () => {
    const [, example = ''] = /```yaml\n(probes:\n[\s\S]*?)```/.exec(readme) ?? [];

    const parsed = parseEnvironment(head + example, '/srv/readme.yaml', probeRegistry);

    expect(example).toContain('slos:');
    expect(parsed.ok ? [] : parsed.diagnostics.map(({ line, summary }) => `${line}: ${summary}`)).toEqual([]);
  });
});
