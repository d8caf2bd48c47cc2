// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references to secrets are written this way
/** How probes trust the far end of a TLS connection. */
import { readFileSync } from 'node:fs';
import * as z from 'zod';
import { ChaosError } from '../core/errors.ts';

export const Tls = z.strictObject({
  ca: z
    .string()
    .min(1)
    .optional()
    .meta({
      description:
        'Certificates that are trusted instead of the well-known ones: a PEM file, relative to this file, or a reference. Default: the well-known ones.',
      examples: ['keys/ca.pem', '${env:SHOP_CA}'],
    }),
  serverName: z
    .string()
    .regex(/^[A-Za-z0-9._-]+$/, { error: 'expected a host name' })
    .optional()
    .meta({ description: 'The name that is asked for and must stand in the certificate. Default: the host that is connected to.' }),
  insecure: z.boolean().default(false).meta({
    description: 'Take any certificate, of anybody. Default false.',
  }),
});
export type Tls = z.infer<typeof Tls>;

/** As `node:tls` and `node:https` have them. */
export interface TlsTrust {
  readonly ca?: string;
  readonly servername?: string;
  readonly rejectUnauthorized?: boolean;
}

/** Reads the file that `ca` names. Throws `CHAOS_PROBE` when it cannot be read or has no certificate. */
export function tlsTrust(probe: string, tls: Tls | undefined): TlsTrust {
  if (tls === undefined) return {};
  return {
    ...(tls.ca === undefined ? {} : { ca: certificates(probe, tls.ca) }),
    ...(tls.serverName === undefined ? {} : { servername: tls.serverName }),
    ...(tls.insecure ? { rejectUnauthorized: false } : {}),
  };
}

function certificates(probe: string, ca: string): string {
  const begin = '-----BEGIN CERTIFICATE-----';
  if (ca.includes(begin)) return ca;
  let text: string;
  try {
    text = readFileSync(ca, 'utf8');
  } catch (error) {
    throw new ChaosError('CHAOS_PROBE', `probe ${probe}: the file of tls.ca cannot be read`, { target: probe, cause: error });
  }
  if (text.includes(begin)) return text;
  throw new ChaosError('CHAOS_PROBE', `probe ${probe}: there is no certificate in tls.ca`, {
    target: probe,
    hint: `PEM text has a line ${begin}.`,
  });
}
