/** Everything in `experiments/` is valid, and its JSON Schemas say what the code says. `UPDATE_SCHEMAS=1` rewrites the schemas. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import * as z from 'zod';
import { crossCheck } from '../../src/environment/cross-check.ts';
import { loadEnvironment } from '../../src/environment/load.ts';
import { resolveEnvironment } from '../../src/environment/resolve.ts';
import { environmentJsonSchema, experimentJsonSchema, type JsonSchema, schemaText } from '../../src/experiment/json-schema.ts';
import { loadExperiment } from '../../src/experiment/load.ts';
import { listEnvironments, listExperiments } from '../../src/experiment/project.ts';
import { faultRegistry } from '../../src/faults/registry.ts';
import { probeRegistry } from '../../src/probes/registry.ts';
import { renderDiagnostics } from '../../src/views/diagnostics.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const labEnvironment = path.join(root, 'test/fixtures/files/environment.yaml');
const schemas: Readonly<Record<string, JsonSchema>> = {
  'experiment.schema.json': experimentJsonSchema(faultRegistry),
  'environment.schema.json': environmentJsonSchema(probeRegistry),
};

describe.each(listExperiments(root))('experiment $name', ({ file }) => {
  test('is valid', () => {
    const loaded = loadExperiment(file, faultRegistry);

    expect(loaded.ok ? '' : renderDiagnostics(loaded.diagnostics, { color: false })).toBe('');
    expect(loaded.ok && loaded.warnings).toEqual([]);
  });

  test('fits an environment like the lab', () => {
    const environment = loadEnvironment(labEnvironment, probeRegistry);
    if (!environment.ok) throw new Error('not valid');
    const model = resolveEnvironment(environment.value);

    const experiment = loadExperiment(file, faultRegistry, (data) => crossCheck(data, model));

    expect(experiment.ok ? '' : renderDiagnostics(experiment.diagnostics, { color: false })).toBe('');
  });

  test('is valid for an editor too, and names its schema in the first line', () => {
    const text = readFileSync(file, 'utf8');
    const schema = z.fromJSONSchema(readable(schemas['experiment.schema.json']));

    expect(schema.safeParse(parse(text)).error).toBeUndefined();
    expect(text.split('\n')[0]).toBe('# yaml-language-server: $schema=schema/experiment.schema.json');
  });
});

test.each(listEnvironments(root))('environment $name is valid', ({ file }) => {
  const loaded = loadEnvironment(file, probeRegistry);

  expect(loaded.ok ? '' : renderDiagnostics(loaded.diagnostics, { color: false })).toBe('');
});

test('every file of experiments/ with a YAML ending is looked at above', () => {
  const all = readdirSync(path.join(root, 'experiments')).filter((name) => /\.ya?ml$/.test(name));

  expect(listExperiments(root).map(({ file }) => path.basename(file))).toEqual(all.sort());
});

describe('JSON Schemas', () => {
  test.each(Object.entries(schemas))('%s is current', (name, schema) => {
    const file = path.join(root, 'experiments/schema', name);
    if (process.env.UPDATE_SCHEMAS === '1') writeFileSync(file, schemaText(schema));

    expect(readFileSync(file, 'utf8'), 'run the tests with UPDATE_SCHEMAS=1').toBe(schemaText(schema));
  });

  test('have a branch for each fault, with its own parameters', () => {
    const text = JSON.stringify(schemas['experiment.schema.json']);

    for (const kind of faultRegistry.keys()) expect(text).toContain(`"const":${JSON.stringify(kind)}`);
  });

  test('say what every field is for', () => {
    for (const schema of Object.values(schemas)) expect(undescribed(schema)).toEqual([]);
  });
});

/** zod reads JSON Schema back but takes branches that only say `required` for ones that accept anything. */
function readable(schema: JsonSchema | undefined): Parameters<typeof z.fromJSONSchema>[0] {
  const text = JSON.stringify(schema, (key, value) => (key === 'oneOf' && value[0]?.required?.[0] === 'host' ? undefined : value));
  return JSON.parse(text) as Parameters<typeof z.fromJSONSchema>[0];
}

/** Properties without a description, by their path. */
function undescribed(schema: unknown, at = ''): string[] {
  if (schema === null || typeof schema !== 'object') return [];
  return Object.entries(schema).flatMap(([key, inner]: [string, unknown]) => {
    if (key !== 'properties' || inner === null || typeof inner !== 'object') return undescribed(inner, at);
    return Object.entries(inner).flatMap(([name, property]: [string, unknown]) => {
      const own = `${at}.${name}`;
      const constant =
        property !== null && typeof property === 'object' && ('description' in property || 'const' in property || 'not' in property);
      return [...(constant ? [] : [own]), ...undescribed(property, own)];
    });
  });
}
