// Start-up budgets, as ratios to a bare `node -e 0` in the same run: --help and --version 1.5x, validate 2x. Medians over interleaved
// rounds, so that a busy machine slows both sides alike. ROUNDS says how many (default 21), CHAOS_BIN which build (default dist/bin.js).
// Other work can only make a ratio worse, so a broken budget is measured up to three times before it counts. Exits 1 then.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const bin = process.env.CHAOS_BIN ?? `${root}dist/bin.js`;
const rounds = Number(process.env.ROUNDS ?? 21);
const attempts = 3;
const cases = [
  { name: 'node -e 0', args: ['-e', '0'], budget: Number.POSITIVE_INFINITY },
  { name: 'chaos --version', args: [bin, '--version'], budget: 1.5 },
  { name: 'chaos --help', args: [bin, '--help'], budget: 1.5 },
  { name: 'chaos validate', args: [bin, 'validate', 'db-failover'], budget: 2 },
];

/** Median milliseconds of each case. */
function measure() {
  const times = cases.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (const [index, { name, args }] of cases.entries()) {
      const started = process.hrtime.bigint();
      const { status, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' });
      times[index].push(Number(process.hrtime.bigint() - started) / 1e6);
      if (status !== 0) throw new Error(`${name} ended with ${status}: ${stderr}`);
    }
  }
  return times.map((values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]);
}

/** Prints the table and says whether every budget is kept. */
function kept(medians) {
  let all = true;
  console.log(`start-up, median of ${rounds} interleaved rounds`);
  for (const [index, { name, budget }] of cases.entries()) {
    const ratio = medians[index] / medians[0];
    all &&= ratio <= budget;
    const verdict = Number.isFinite(budget) ? `${ratio <= budget ? 'within' : 'OVER'} the budget of ${budget}x` : '';
    console.log(`${name.padEnd(18)} ${medians[index].toFixed(0).padStart(5)} ms  ${ratio.toFixed(2)}x  ${verdict}`.trimEnd());
  }
  return all;
}

process.exitCode = Array.from({ length: attempts }).some(() => kept(measure())) ? 0 : 1;
