/** The groups of an Ansible inventory, as both of its forms fill them. */
export type Variables = Readonly<Record<string, unknown>>;

export interface Group {
  readonly hosts: Map<string, Variables>;
  readonly children: Set<string>;
  readonly variables: Record<string, unknown>;
}

export type Groups = Map<string, Group>;

/** The group of that name, made where there was none. */
export function groupOf(groups: Groups, name: string): Group {
  const known = groups.get(name);
  if (known !== undefined) return known;
  const made: Group = { hosts: new Map(), children: new Set(), variables: {} };
  groups.set(name, made);
  return made;
}
