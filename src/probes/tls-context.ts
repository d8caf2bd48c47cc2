/** Trust as a connection wants it. Loaded with a probe's client, so that the registry needs no TLS. */
import { type ConnectionOptions, createSecureContext } from 'node:tls';
import type { TlsTrust } from './tls.ts';

/** The certificates are read here, once: a bundle of a system's authorities takes some 70 ms, and for each connection again without this. */
export function tlsOptions({ ca, ...others }: TlsTrust): ConnectionOptions {
  return { ...others, secureContext: createSecureContext(ca === undefined ? {} : { ca }) };
}
