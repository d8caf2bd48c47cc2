import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { crossCheck } from '../../../src/environment/cross-check.ts';
import { loadEnvironment } from '../../../src/environment/load.ts';
import { resolveEnvironment } from '../../../src/environment/resolve.ts';
import { loadExperiment } from '../../../src/experiment/load.ts';
import { findProjectRoot, listExperiments, resolveEnvironmentFile, resolveExperimentFile } from '../../../src/experiment/project.ts';
import { scaffold } from '../../../src/experiment/scaffold.ts';
import { faultRegistry } from '../../../src/faults/registry.ts';
import { probeRegistry } from '../../../src/probes/registry.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'chaos-project-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('the project', () => {
  test('is the nearest folder with experiments, here or above', () => {
    mkdirSync(path.join(folder, 'experiments/environments'), { recursive: true });
    mkdirSync(path.join(folder, 'a/b'), { recursive: true });

    expect(findProjectRoot(path.join(folder, 'a/b'))).toBe(folder);
    expect(() => findProjectRoot('/proc')).toThrow(expect.objectContaining({ code: 'CHAOS_NO_PROJECT', hint: 'chaos init' }));
  });

  test('lists its experiments by name, without other files and folders', () => {
    mkdirSync(path.join(folder, 'experiments/schema'), { recursive: true });
    for (const name of ['b.yaml', 'a.yml', 'a.yaml', 'notes.md', '.hidden.yaml']) writeFileSync(path.join(folder, 'experiments', name), '');

    expect(listExperiments(folder)).toEqual([
      { name: 'a', file: path.join(folder, 'experiments/a.yaml') },
      { name: 'b', file: path.join(folder, 'experiments/b.yaml') },
    ]);
  });

  test('finds files by name or path, and suggests when there is none', () => {
    mkdirSync(path.join(folder, 'experiments'));
    writeFileSync(path.join(folder, 'experiments/db-failover.yaml'), '');
    const file = path.join(folder, 'experiments/db-failover.yaml');

    expect(resolveExperimentFile(folder, 'db-failover')).toBe(file);
    expect(resolveExperimentFile('/', file)).toBe(file);
    expect(() => resolveExperimentFile(folder, 'db-failovr')).toThrow(
      expect.objectContaining({ code: 'CHAOS_NOT_FOUND', hint: 'did you mean "db-failover"?' }),
    );
    expect(() => resolveEnvironmentFile(folder, 'staging')).toThrow(
      expect.objectContaining({ hint: 'the project has no environments yet' }),
    );
    expect(() => resolveExperimentFile(folder, './db-failover')).toThrow(expect.objectContaining({ code: 'CHAOS_NOT_FOUND' }));
  });
});

describe('a new project', () => {
  test('validates as it is, alone and against its environment', () => {
    const written = scaffold(folder, faultRegistry, probeRegistry);

    const environment = loadEnvironment(resolveEnvironmentFile(folder, 'staging'), probeRegistry);
    const names = (data: unknown) => (environment.ok ? crossCheck(data, resolveEnvironment(environment.value)) : []);
    const experiment = loadExperiment(resolveExperimentFile(folder, 'web-restart'), faultRegistry, names);
    expect(environment).toMatchObject({ ok: true, warnings: [] });
    expect(experiment).toMatchObject({ ok: true, warnings: [] });
    expect(written.map((one) => one.state)).toEqual(Array(5).fill('created'));
  });

  test('tells editors where the schema is, in the first line', () => {
    for (const { path: name } of scaffold(folder, faultRegistry, probeRegistry).filter((one) => one.path.endsWith('.yaml'))) {
      const [first = ''] = readFileSync(path.join(folder, name), 'utf8').split('\n');
      const schema = /^# yaml-language-server: \$schema=(.+)$/.exec(first)?.[1] ?? '';
      expect(JSON.parse(readFileSync(path.join(folder, path.dirname(name), schema), 'utf8'))).toHaveProperty('$schema');
    }
  });

  test('never overwrites what is there, nor writes through a link', () => {
    mkdirSync(path.join(folder, 'experiments'));
    writeFileSync(path.join(folder, 'experiments/web-restart.yaml'), 'mine');
    mkdirSync(path.join(folder, 'runbooks'));
    symlinkSync(path.join(folder, 'elsewhere'), path.join(folder, 'runbooks/web-restart.md'));

    const kept = scaffold(folder, faultRegistry, probeRegistry).filter((one) => one.state === 'kept');

    expect(kept.map((one) => one.path)).toEqual(['experiments/web-restart.yaml', 'runbooks/web-restart.md']);
    expect(readFileSync(path.join(folder, 'experiments/web-restart.yaml'), 'utf8')).toBe('mine');
    expect(() => readFileSync(path.join(folder, 'elsewhere'))).toThrow();
  });
});
