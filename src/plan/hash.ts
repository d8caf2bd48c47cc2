/** The plan's hash: equal for equal plans, different when any target, command or limit differs. */
import { createHash } from 'node:crypto';
import { canonicalJson } from '../core/json.ts';
import type { PlanDraft } from './plan.ts';

/** SHA-256 of a file's bytes, hexadecimal. */
export function fileHash(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** SHA-256 over the canonical JSON of the draft, hexadecimal. */
export function planHash(draft: PlanDraft): string {
  return createHash('sha256').update(canonicalJson(draft)).digest('hex');
}
