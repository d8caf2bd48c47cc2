/** Which packets a network fault acts on. */
import * as z from 'zod';

const Port = z.int().min(1).max(65_535);
const Peer = z.string().regex(/^[A-Za-z0-9:](?:[A-Za-z0-9._:-]{0,252}[A-Za-z0-9:])?(?:\/\d{1,3})?$/, {
  error: (issue) => `expected an IP address, a network such as 10.0.0.0/24 or a host name, got ${JSON.stringify(issue.input)}`,
});

export const trafficFields = () => ({
  interface: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,14}$/, { error: 'expected the name of a network interface, such as eth0' })
    .optional()
    .meta({
      description: 'Network interface of the target. Default: the one of the route to the first of `to`, else of the default route.',
    }),
  to: z
    .array(Peer)
    .min(1)
    .max(64)
    .optional()
    .meta({ description: 'Peers, by address, network or name (looked up on the target). Default: everybody.' }),
  ports: z.array(Port).min(1).max(16).optional().meta({ description: 'Ports of the peers. Default: all. Needs `protocol`.' }),
  localPorts: z.array(Port).min(1).max(16).optional().meta({ description: 'Ports of the target itself. Default: all. Needs `protocol`.' }),
  protocol: z.enum(['any', 'tcp', 'udp', 'icmp']).default('any').meta({ description: 'Only packets of this protocol. Default any.' }),
  direction: z
    .enum(['out', 'in', 'both'])
    .default('out')
    .meta({ description: 'Packets that leave the target, that arrive at it, or both. Default out.' }),
});

export interface Traffic {
  readonly interface?: string | undefined;
  readonly to?: readonly string[] | undefined;
  readonly ports?: readonly number[] | undefined;
  readonly localPorts?: readonly number[] | undefined;
  readonly protocol: 'any' | 'tcp' | 'udp' | 'icmp';
  readonly direction: 'out' | 'in' | 'both';
}

/** A share of packets, 0 (exclusive) to 100 percent. */
export const packetShare = (what: string) =>
  z
    .number()
    .gt(0)
    .max(100)
    .meta({ description: `Percent of the packets that are ${what}, above 0 to 100.` });

export const correlationField = () =>
  z
    .number()
    .min(0)
    .max(100)
    .optional()
    .meta({ description: 'How much the fate of a packet depends on that of the one before, 0 to 100 percent. Default 0.' });
