/**
 * Name lookups wait in a pool of four threads that the journal's writes need as well. While a name server hangs, samples ask for the
 * same name again and again: here they share the one question that is under way. Nothing is remembered once it is answered.
 */
import { type LookupAddress, lookup } from 'node:dns';
import type { LookupFunction } from 'node:net';

type Answer = (error: NodeJS.ErrnoException | null, address: string | LookupAddress[], family?: number) => void;

export function sharedLookup(): LookupFunction {
  const underWay = new Map<string, Answer[]>();
  return (hostname, options, answer) => {
    const key = `${hostname} ${JSON.stringify(options)}`;
    const waiting = underWay.get(key);
    if (waiting !== undefined) {
      waiting.push(answer);
      return;
    }
    const waiters: Answer[] = [answer];
    underWay.set(key, waiters);
    lookup(hostname, options, (error, address, family) => {
      underWay.delete(key);
      for (const waiter of waiters) waiter(error, address, family);
    });
  };
}
