// Builds dist/: CommonJS, one file per lazily loaded command and a few shared ones. The form is chosen for start-up, see
// src/cli/DECISIONS.md. Packages used only while a run is under way (ssh2, pg, pino) stay outside.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'rolldown';

const { version } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'));

// What is loaded together is one file: a file costs as much as 20 KB of code. In order; the first that matches takes the module.
const groups = [
  { name: 'zod', test: /node_modules\/zod\// },
  // Needed by every command, so it must not bring zod along.
  { name: 'core', test: /src\/core\/(?!json\.ts)|src\/views\/style\.ts|src\/cli\/(?:exit-codes|mistakes|version)\.ts/ },
  {
    name: 'language',
    test: /node_modules\/yaml\/|src\/experiment\/(?!json-schema|scaffold)|src\/faults\/[^/]+(?:\/(?:index|schema))?\.ts/,
  },
].map((group, index, all) => ({ ...group, priority: all.length - index }));

/** The package is of ES modules; dist/ is not. */
const commonjs = {
  name: 'commonjs',
  generateBundle() {
    this.emitFile({ type: 'asset', fileName: 'package.json', source: '{ "type": "commonjs" }\n' });
  },
};

/** Shell programs that are sent to targets are imported as text, `?raw` as vite spells it. */
const shellText = {
  name: 'shell-text',
  load(id) {
    if (!id.endsWith('.sh?raw')) return null;
    return { code: `export default ${JSON.stringify(readFileSync(id.slice(0, -'?raw'.length), 'utf8'))}`, moduleType: 'js' };
  },
};

export default defineConfig({
  input: {
    bin: 'src/bin.ts',
    'sampling-thread': 'src/cli/sampling-thread.ts',
    'lab/keeper': 'src/lab/keeper.ts',
    'lab/checkout-service': 'src/lab/checkout-service.ts',
    'lab/load-balancer': 'src/lab/load-balancer.ts',
    'lab/tc': 'src/lab/network/tc.ts',
  },
  platform: 'node',
  external: ['ssh2', 'pg', 'pino'],
  // The ES modules of yaml: unlike its CommonJS for Node, what is not used of them can be left out.
  resolve: { alias: { yaml: fileURLToPath(new URL('node_modules/yaml/browser/index.js', import.meta.url)) } },
  transform: { target: 'node20', define: { CHAOS_VERSION: JSON.stringify(version) } },
  plugins: [commonjs, shellText],
  output: {
    dir: 'dist',
    cleanDir: true,
    format: 'cjs',
    entryFileNames: '[name].js',
    chunkFileNames: 'chunks/[name]-[hash].js',
    codeSplitting: { groups },
    // Names of functions and classes stay, for stack traces.
    minify: { compress: true, mangle: { keepNames: true }, codegen: { removeWhitespace: true } },
  },
});
