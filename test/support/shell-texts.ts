/** What a fault's shell texts look like to the shells of targets. */
import { spawnSync } from 'node:child_process';
import type { JsonObject } from '../../src/core/json.ts';
import type { FaultDefinition } from '../../src/faults/contract.ts';
import { planStep } from './fault-run.ts';
import { shells } from './fuse-host.ts';

/** The texts that the plan has for one host, by the first word of their operation: `look`, `inject`, `verify`, `undo`, `check`. */
export async function textsOf(definition: FaultDefinition, parameters: JsonObject): Promise<Readonly<Record<string, string>>> {
  const { operations } = await planStep(definition, { hosts: [{ id: 'web-1', home: '/' }], targets: ['web-1'], parameters });
  return Object.fromEntries(operations.map(({ id, text }) => [id.replace('-web-1', ''), text]));
}

/** What the installed shells of POSIX kind say against the texts; nothing is run. */
export async function complaints(definition: FaultDefinition, parameters: JsonObject): Promise<string[]> {
  const texts = Object.entries(await textsOf(definition, parameters));
  return shells.flatMap(({ name, path }) =>
    texts.flatMap(([operation, text]) => {
      if (path === undefined) return [];
      const input = text.replaceAll(/@[a-z][a-z0-9-]*@/g, '1');
      const { stderr } = spawnSync(path, [...(name === 'busybox' ? ['sh'] : []), '-n'], { input, encoding: 'utf8' });
      return stderr === '' ? [] : [`${name}, ${operation}: ${stderr}`];
    }),
  );
}

/** The messages of the schema, each with its path; empty when it takes the parameters. */
export function refusals(definition: FaultDefinition, parameters: JsonObject): readonly string[] {
  const parsed = definition.parameters.safeParse(parameters);
  return parsed.error?.issues.map(({ message, path }) => `${path.join('.')}: ${message}`) ?? [];
}
