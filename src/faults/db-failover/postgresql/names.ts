/** Names that PostgreSQL and the shell read: slots, application names, connection strings. Pure. */

/** The physical slot of the node on `host`: lower case, digits and `_`, at most 63 characters. */
export function slotName(host: string): string {
  return host
    .toLowerCase()
    .replaceAll(/[^a-z0-9_]/g, '_')
    .slice(0, 63);
}

/** One value of a libpq connection string (libpq: Connection Strings, keyword/value). */
export function conninfoValue(value: string): string {
  return /^[A-Za-z0-9_.:/-]+$/.test(value) ? value : `'${value.replaceAll(/[\\']/g, '\\$&')}'`;
}

/** The name under which a standby shows in `pg_stat_replication`: its conninfo's, else its cluster_name, else PostgreSQL's default. */
export function receiverName(conninfo: string, clusterName: string): string {
  const match = /(?:^|\s)application_name=(?:'((?:[^'\\]|\\.)*)'|(\S+))/.exec(conninfo);
  const name = match?.[1]?.replaceAll(/\\(.)/g, '$1') ?? match?.[2] ?? '';
  return name || clusterName || 'walreceiver';
}

/** Does `synchronous_standby_names` name this standby? `*` names all; names compare without case, as the server does. */
export function namesStandby(setting: string, name: string): boolean {
  return parts(setting).some(({ text, name: found }) => text === '*' || found?.toLowerCase() === name.toLowerCase());
}

/** `setting` for the other side of a failover: wherever it says `from` it says `to`, quoted; the rest stays as it is. */
export function renameStandby(setting: string, from: string, to: string): string {
  return parts(setting)
    .map(({ text, name }) => (name?.toLowerCase() === from.toLowerCase() ? `"${to.replaceAll('"', '""')}"` : text))
    .join('');
}

interface Part {
  readonly text: string;
  readonly name?: string;
}

/** Splits `FIRST 1 ("db-b", c)` into names and what stands between them; `FIRST`/`ANY` before a number are not names. */
function parts(setting: string): Part[] {
  return [...setting.matchAll(/"((?:[^"]|"")*)"|(?:FIRST|ANY)\s+(?=\d)|\d+(?=\s*\()|[^\s,()"*]+|[\s,()*]/gi)].map(([text, quoted]) => {
    if (quoted !== undefined) return { text, name: quoted.replaceAll('""', '"') };
    return /^[\s,()*]$|^(?:FIRST|ANY)\s+$|^\d+$/i.test(text) ? { text } : { text, name: text };
  });
}

/** Bytes up to a log position such as `1/6B3740`; bigint because it has 64 bits. */
export function lsn(text: string): bigint {
  const match = /^([0-9A-Fa-f]{1,8})\/([0-9A-Fa-f]{1,8})$/.exec(text);
  if (match === null) throw new RangeError(`not a log position: ${JSON.stringify(text)}`);
  return (BigInt(`0x${match[1]}`) << 32n) + BigInt(`0x${match[2]}`);
}
