/** What the faults of name resolution share: names as people write them, and shell texts about the resolver of a host. */
import * as z from 'zod';

const label = '[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?';
/** The last label is no number: `10.0.0.7` is an address and is never looked up. */
const hostName = new RegExp(`^(?=.{1,253}$)(?:${label}\\.)*(?!\\d+$)${label}$`);

export function hostNameField(): z.ZodString {
  return z
    .string()
    .regex(hostName, { error: (issue) => `expected a host name such as db.shop.example, got ${JSON.stringify(issue.input)}` });
}

/** `sources`: where names are looked up, between spaces; empty where the C library has no such file (musl). */
export const sourcesText = `sources=" $(sed -n 's/#.*//; s/^hosts:[[:space:]]*//p' /etc/nsswitch.conf 2>/dev/null | head -n 1 | tr '\\t' ' ') "`;

/** `forget_names`: empties the caches of name services. They fill again by themselves. */
export const forgetNamesFunction = `forget_names() {
  if [ -d /run/systemd/resolve ] && have resolvectl; then timeout 5 resolvectl flush-caches >/dev/null 2>&1; fi
  if [ -S /run/nscd/socket ] && have nscd; then timeout 5 nscd -i hosts >/dev/null 2>&1; fi
  :
}`;
