// Start-up budgets, as ratios to a bare `node -e 0` in the same run: --help and --version 1.5x, validate 2x. Medians over interleaved
// rounds, so that a busy machine slows both sides alike. ROUNDS says how many (default 21), CHAOS_BIN which build (default dist/bin.js).
// Exits 1 when a budget is broken.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const bin = process.env.CHAOS_BIN ?? `${root}dist/bin.js`;
const rounds = Number(process.env.ROUNDS ?? 21);
const cases = [
  { name: 'node -e 0', args: ['-e', '0'], budget: undefined },
  { name: 'chaos --version', args: [bin, '--version'], budget: 1.5 },
  { name: 'chaos --help', args: [bin, '--help'], budget: 1.5 },
  { name: 'chaos validate', args: [bin, 'validate', 'db-failover'], budget: 2 },
];
const times = cases.map(() => []);

for (let round = 0; round < rounds; round++) {
  for (const [index, { name, args }] of cases.entries()) {
    const started = process.hrtime.bigint();
    const { status, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' });
    times[index].push(Number(process.hrtime.bigint() - started) / 1e6);
    if (status !== 0) throw new Error(`${name} ended with ${status}: ${stderr}`);
  }
}

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
const base = median(times[0]);
let broken = false;
console.log(`start-up, median of ${rounds} interleaved rounds`);
for (const [index, { name, budget }] of cases.entries()) {
  const ratio = median(times[index]) / base;
  const over = budget !== undefined && ratio > budget;
  broken ||= over;
  const verdict = budget === undefined ? '' : over ? `OVER the budget of ${budget}x` : `within ${budget}x`;
  console.log(`${name.padEnd(18)} ${median(times[index]).toFixed(0).padStart(5)} ms  ${ratio.toFixed(2)}x  ${verdict}`);
}
process.exitCode = broken ? 1 : 0;
