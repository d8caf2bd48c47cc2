/** The `on` of a fault step: which hosts, and how many of them. */
import * as z from 'zod';
import { percent, TargetName } from './scalars.ts';

const ways = ['host', 'group', 'role', 'label'] as const;
const amounts = ['count', 'percent', 'random'] as const;

const Count = z.int().min(1).max(10_000);

export const Selector = z
  .strictObject({
    host: TargetName.optional().meta({ description: 'One host by name.' }),
    group: TargetName.optional().meta({ description: 'All hosts of a group.' }),
    role: TargetName.optional().meta({ description: 'All hosts that hold a role; database roles are asked from the servers.' }),
    label: z.record(z.string().min(1), z.string()).optional().meta({ description: 'All hosts that carry every one of these labels.' }),
    count: Count.optional().meta({ description: 'The first so many, in the order of the environment file.' }),
    percent: percent().optional().meta({ description: 'The first so many of a hundred, rounded down; none is an error.' }),
    random: z
      .strictObject({
        count: Count.meta({ description: 'How many.' }),
        seed: z
          .int()
          .min(0)
          .max(4_294_967_295)
          .meta({ description: 'The same seed chooses the same hosts; 0 to 4294967295.', examples: [42] }),
      })
      .optional()
      .meta({ description: 'So many by chance, replayable by its seed.' }),
    exclude: z.array(TargetName).min(1).optional().meta({ description: 'Hosts that are left out.' }),
  })
  .superRefine((selector, context) => {
    const mistake = (message: string, path: string[] = []): void =>
      context.addIssue({ code: 'custom', params: { code: 'bad-selector' }, path, message });
    const named = ways.filter((key) => selector[key] !== undefined);
    if (named.length !== 1) {
      const got = named.length === 0 ? 'none' : named.join(' and ');
      mistake(`expected exactly one of host, group, role and label, got ${got}\nfor example: on: { group: web, count: 1 }`);
    }
    const sizes = amounts.filter((key) => selector[key] !== undefined);
    if (sizes.length > 1) mistake(`expected at most one of count, percent and random, got ${sizes.join(' and ')}`);
    if (selector.label !== undefined && Object.keys(selector.label).length === 0) mistake('expected at least one label', ['label']);
    if (selector.host === undefined) return;
    for (const key of [...sizes, ...(selector.exclude === undefined ? [] : ['exclude'])]) {
      mistake(`${key} has no meaning together with host, which names one host\nremove this line`, [key]);
    }
  })
  // JSON Schema cannot hold the check above; this is its first rule, for editors.
  .meta({ oneOf: ways.map((key) => ({ required: [key] })) });
export type Selector = z.infer<typeof Selector>;
