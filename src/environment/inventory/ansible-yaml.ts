/** The YAML form of an Ansible inventory, also as `ansible-inventory --list --yaml` writes it. */
import { parse } from 'yaml';
import * as z from 'zod';
import { InventoryError } from './contract.ts';
import { type Groups, groupOf, type Variables } from './groups.ts';
import { expandRange } from './ranges.ts';

const Vars = z.record(z.string(), z.unknown()).nullish();

const GroupText: z.ZodType<GroupText> = z.lazy(() =>
  z
    .looseObject({
      hosts: z.record(z.string(), Vars).nullish(),
      vars: Vars,
      children: z.record(z.string(), GroupText).nullish(),
    })
    .nullable(),
);
type GroupText = {
  readonly hosts?: Readonly<Record<string, Variables | null | undefined>> | null | undefined;
  readonly vars?: Variables | null | undefined;
  readonly children?: Readonly<Record<string, GroupText>> | null | undefined;
} | null;

export function parseYaml(text: string, file: string): Groups {
  const groups: Groups = new Map();
  for (const [name, group] of Object.entries(readGroups(text, file))) add(groups, name, group, file);
  return groups;
}

function readGroups(text: string, file: string): Readonly<Record<string, GroupText>> {
  let data: unknown;
  try {
    data = parse(text, { logLevel: 'error' });
  } catch (error) {
    throw new InventoryError(`${file}: ${error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)}`);
  }
  const checked = z.record(z.string(), GroupText).safeParse(data);
  if (checked.success) return checked.data;
  const [issue] = checked.error.issues;
  throw new InventoryError(`${file}: ${issue?.path.join('.') || 'the file'} is no group of an Ansible inventory: ${issue?.message ?? ''}`);
}

function add(groups: Groups, name: string, text: GroupText, file: string): void {
  const group = groupOf(groups, name);
  Object.assign(group.variables, text?.vars ?? {});
  for (const [pattern, variables] of Object.entries(text?.hosts ?? {})) {
    for (const host of expandRange(pattern, (what) => new InventoryError(`${file}: ${what}`))) {
      // Mentioned again, in another group, it keeps what was said of it.
      group.hosts.set(host, { ...group.hosts.get(host), ...variables });
    }
  }
  for (const [child, inner] of Object.entries(text?.children ?? {})) {
    group.children.add(child);
    add(groups, child, inner, file);
  }
}
