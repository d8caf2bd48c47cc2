/** JSON Schemas for editors, from the same zod source that checks the files. Rules between fields cannot be said in them. */
import * as z from 'zod';
import { environmentSchema, type ProbeRegistry } from '../environment/schema.ts';
import { experimentSchema, type FaultRegistry } from './schema.ts';

export type JsonSchema = Readonly<Record<string, unknown>>;

/** Of experiment files; each fault's `with` and `expect` in its own branch. */
export function experimentJsonSchema(faults: FaultRegistry): JsonSchema {
  return toJsonSchema(experimentSchema(faults), 'chaos experiment');
}

export function environmentJsonSchema(probes: ProbeRegistry): JsonSchema {
  return toJsonSchema(environmentSchema(probes), 'chaos environment');
}

/** The text of a schema file. */
export function schemaText(schema: JsonSchema): string {
  return `${JSON.stringify(schema, null, 2)}\n`;
}

function toJsonSchema(schema: z.ZodType, title: string): JsonSchema {
  // Draft 7 is what YAML editors know. `input`: what people write, so defaults are not required.
  const { $schema, ...rest } = z.toJSONSchema(schema, { target: 'draft-7', io: 'input', unrepresentable: 'any' });
  return { $schema, title, ...rest };
}
