/** Errors of samples: short and stable, so that equal ones can be counted. Never a URL, a host's text or a password. */

const resets = new Set(['ECONNRESET', 'EPIPE', 'ERR_STREAM_PREMATURE_CLOSE']);
const sqlState = /^[0-9A-Z]{5}$/;
const systemCode = /^[A-Z][A-Z0-9_]+$/;

/** `reset`, `ECONNREFUSED`, `CERT_HAS_EXPIRED`, `sql 57P01`; `otherwise` when nothing in the chain of causes has a code. */
export function sampleError(error: unknown, otherwise = 'failed'): string {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : '';
    if (resets.has(code)) return 'reset';
    if (code.startsWith('CHAOS_')) continue;
    if (sqlState.test(code) && !/^E[A-Z]+$/.test(code)) return `sql ${code}`;
    if (systemCode.test(code)) return code;
  }
  return otherwise;
}
