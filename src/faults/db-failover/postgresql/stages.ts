/** All stages in one module: see `lazyStages`. */
export { inject } from './inject.ts';
export { prepare } from './prepare.ts';
export { revert } from './revert.ts';
export { verify, verifyReverted } from './verify.ts';
