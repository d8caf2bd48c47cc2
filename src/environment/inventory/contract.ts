/** A host as somebody else's file knows it: what is not said there stays open. */
export interface InventoryHost {
  readonly name: string;
  readonly address?: string;
  readonly port?: number;
  readonly user?: string;
  readonly identityFile?: string;
  readonly become?: 'sudo' | 'none';
  readonly groups: readonly string[];
}

/** What is wrong with such a file, for people: file, line where it is known, and the fix. */
export class InventoryError extends Error {
  override readonly name = 'InventoryError';
}
