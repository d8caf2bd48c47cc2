import type { FaultDefinition } from './contract.ts';

export type FaultStages = Pick<FaultDefinition, 'prepare' | 'inject' | 'verify' | 'revert' | 'verifyReverted'>;

/**
 * The stages that touch targets, loaded when the first of them is called: checking a file needs none. `load` must give all of them in
 * one module, so that a fault that was prepared can be reverted even when the program's files are replaced or gone by then.
 */
export function lazyStages(load: () => Promise<FaultStages>): FaultStages {
  return {
    prepare: async (context) => (await load()).prepare(context),
    inject: async (context, undo) => (await load()).inject(context, undo),
    verify: async (context, undo) => (await load()).verify(context, undo),
    revert: async (context, undo) => (await load()).revert(context, undo),
    verifyReverted: async (context, undo, seen) => (await load()).verifyReverted(context, undo, seen),
  };
}
