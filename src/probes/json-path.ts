/** Where a value stands in JSON: `data.status`, `items[0].name`, `labels["app.kubernetes.io/name"]`. */
import * as z from 'zod';

const part = String.raw`[^.[\]"\s]+|\[\d+\]|\["[^"\\]+"\]`;
const wholePattern = /^(?:[^.[\]"\s]+|\[\d+\]|\["[^"\\]+"\])(?:\.[^.[\]"\s]+|\[\d+\]|\["[^"\\]+"\])*$/;

export const JsonPath = z.string().regex(wholePattern, { error: 'expected a path such as data.status, items[0].name or labels["a.b"]' });

/** The keys and indexes of a path, from the outside in. */
function jsonPathParts(path: string): (string | number)[] {
  return [...path.matchAll(new RegExp(part, 'g'))].map(([text]) => {
    if (!text.startsWith('[')) return text;
    return text.startsWith('["') ? text.slice(2, -2) : Number(text.slice(1, -1));
  });
}

/** What stands at `path`; `undefined` where nothing does. Only what the text itself had: no length, no prototype. */
export function readJsonPath(data: unknown, path: string): unknown {
  return jsonPathParts(path).reduce<unknown>((value, key) => {
    if (value === null || typeof value !== 'object' || Array.isArray(value) !== (typeof key === 'number')) return undefined;
    return Object.hasOwn(value, key) ? Reflect.get(value, key) : undefined;
  }, data);
}
