// Builds dist/: one ESM bundle with a chunk per lazily loaded command. Bundling what `validate` needs keeps start-up inside its budget
// (unbundled, zod and yaml alone cost more than the budget); packages used only while a run is under way stay outside.
import { chmodSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { build } from 'esbuild';

const { version } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'));
const root = new URL('.', import.meta.url).pathname;

// Built beside and swapped, so that a failed build leaves the last one in place.
const fresh = `${root}dist.new`;
rmSync(fresh, { recursive: true, force: true });
await build({
  absWorkingDir: root,
  entryPoints: ['src/bin.ts', 'src/lab/keeper.ts', 'src/lab/checkout-service.ts', 'src/lab/load-balancer.ts'],
  outdir: 'dist.new',
  outbase: 'src',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  external: ['ssh2', 'pg', 'pino'],
  define: { CHAOS_VERSION: JSON.stringify(version) },
  // commander is CommonJS inside an ESM bundle.
  banner: { js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);" },
  chunkNames: 'chunks/[name]-[hash]',
  alias: { yaml: './node_modules/yaml/browser/index.js' },
  legalComments: 'none',
  logLevel: 'warning',
});
chmodSync(`${fresh}/bin.js`, 0o755);
rmSync(`${root}dist`, { recursive: true, force: true });
renameSync(fresh, `${root}dist`);
