import * as z from 'zod';
import { hostNameField } from '../name-lookup.ts';

const explain = (issue: { readonly input?: unknown }): string =>
  `expected an IPv4 or IPv6 address such as 10.0.0.7, or up to 8 of them, got ${JSON.stringify(issue.input)}`;

/** An IPv4 address inside an IPv6 one is left out: each C library makes something else of it. */
const Address = () => z.union([z.ipv4(), z.ipv6().refine((text) => !/^::ffff:/i.test(text))], { error: explain });

export const dnsSpoofParameters = () =>
  z.strictObject({
    names: z
      .record(hostNameField(), z.union([Address(), z.array(Address()).min(1).max(8)], { error: explain }))
      .refine((names) => Object.keys(names).length >= 1 && Object.keys(names).length <= 16, { error: 'expected 1 to 16 names' })
      .meta({
        description:
          'Names, 1 to 16, each with the address or up to 8 addresses that it is resolved to on the host. None of them may stand in its /etc/hosts.',
      }),
  });
export type DnsSpoofParameters = z.infer<ReturnType<typeof dnsSpoofParameters>>;
