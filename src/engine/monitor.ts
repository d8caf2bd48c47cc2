/**
 * The measuring half of a run: starts the probes, journals their samples, follows every SLO as samples come in, and stops the run when a
 * fatal level is crossed outside the announced impact, when the abort rule has seen too many bad samples, or when a probe falls silent. What it cannot measure it says; it never guesses.
 */
import { ChaosError, describeError } from '../core/errors.ts';
import { formatDuration, formatQuantity } from '../core/units.ts';
import { type Recorder, tolerant } from '../journal/writer.ts';
import type { PlannedProbe, PlannedSlo } from '../plan/plan.ts';
import type { LedgerResult, Sample } from '../probes/contract.ts';
import type { InvalidStretch, Sampling } from '../probes/sampling/contract.ts';
import { levelOf, type SloLevel, type SloMeasurement, SloTracker, steady } from '../slo/tracker.ts';
import { AbortRules } from './abort-rules.ts';
import { now, type RunParts } from './context.ts';
import { ProberHealth } from './prober-health.ts';

/** Samples are journalled and SLOs evaluated for the record this often; abort decisions do not wait for it. */
const tickMs = 250;
/** A probe that gives nothing for this long beyond its own longest sample cannot measure. */
const silenceMs = 10_000;
/** A tick that is this late means that the runner itself stood still. */
const stallMs = 3_000;
/** What stopping the probes may take beyond their longest sample, ms. */
const stopGraceMs = 10_000;

interface WatchedProbe {
  readonly planned: PlannedProbe;
  readonly longestMs: number;
  pending: Sample[];
  lastAt: number;
  lastGoodAt: number;
}

export interface WatchedSlo {
  readonly slo: PlannedSlo;
  readonly tracker: SloTracker;
  level: SloLevel;
  /** Run time from which it has been steady without a break; `undefined` while it is not. */
  steadySince: number | undefined;
  lastBrokenAt: number | undefined;
  /** Until then its fatal level does not abort: the announced impact. */
  impactUntil: number;
  /** Worst value while the method ran, announced impact included. */
  worst: { readonly value: number; readonly samples: number } | undefined;
  /** Was it looked at outside the announced impact while the method ran? Else nothing is known of it there. */
  judged: boolean;
  /** At some moment outside the announced impact nobody knew whether it held: that depended on what the prober itself stood still for. */
  unvouched: boolean;
  /** A severe or fatal level outside the announced impact while the method ran. */
  broke: { readonly value: number; readonly at: number } | undefined;
  last: SloMeasurement;
}

export class Monitor {
  readonly #parts: RunParts;
  readonly #record: Recorder;
  readonly #probes: WatchedProbe[] = [];
  readonly slos: readonly WatchedSlo[];
  readonly abortRules: AbortRules;
  readonly health = new ProberHealth();
  #sampling: Sampling | undefined;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;
  #lastTickAt = 0;

  constructor(parts: RunParts) {
    this.#parts = parts;
    this.#record = tolerant(parts.record, (error) => parts.control.stop({ kind: 'journal', detail: describeError(error) }));
    this.abortRules = new AbortRules(parts);
    this.slos = parts.plan.slos.map((slo) => ({
      slo,
      tracker: new SloTracker(slo, longestSample(parts, slo.probe)),
      level: 'no-data',
      steadySince: undefined,
      lastBrokenAt: undefined,
      impactUntil: Number.NEGATIVE_INFINITY,
      worst: undefined,
      judged: false,
      unvouched: false,
      broke: undefined,
      last: { value: undefined, atMost: undefined, samples: 0 },
    }));
  }

  async start(): Promise<void> {
    const parts = this.#parts;
    const probes = parts.plan.probes.map((planned) => {
      const definition = parts.probes.get(planned.kind);
      if (definition === undefined) throw new ChaosError('CHAOS_PLAN_DRIFT', `this version knows no probe ${planned.kind}`);
      const spec = definition.spec.parse(parts.secrets.resolveDeep(planned.spec));
      const longestMs = definition.longestSampleMs(spec);
      this.#probes.push({ planned, longestMs, pending: [], lastAt: now(parts), lastGoodAt: Number.NEGATIVE_INFINITY });
      return { name: planned.name, kind: planned.kind, spec };
    });
    this.#sampling = await parts.startSampling(
      { runId: parts.runId, runTime: now(parts), probes, databases: parts.secrets.resolveDeep(parts.plan.databases) },
      {
        samples: (probe, samples) => this.#take(probe, samples),
        invalid: (stretch) => this.#discount(stretch),
        died: (error) => this.#unhealthy(describeError(error)),
      },
    );
    for (const { planned } of this.#probes) await this.#record({ type: 'probe.started', probe: planned.name });
    for (const watched of this.#probes) watched.lastAt = now(parts);
    this.#lastTickAt = now(parts);
    this.#timer = setInterval(() => this.#tick(), tickMs);
  }

  /** Stops every probe and writes what is left; one that cannot be stopped does not keep the run from its end. Idempotent. */
  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    const longest = Math.max(0, ...this.#probes.map(({ longestMs }) => longestMs));
    const patience = new AbortController();
    const waited = this.#parts.clock.sleep(longest + stopGraceMs, patience.signal).catch(() => undefined);
    await Promise.race([this.#sampling?.stop(), waited]);
    patience.abort();
    clearInterval(this.#timer);
    this.#tick();
  }

  /** Gives everything back; nothing can be settled afterwards. */
  async close(): Promise<void> {
    await this.stop();
    await this.#sampling?.[Symbol.asyncDispose]();
  }

  /** From now on, for `forMs`, a fatal level of these SLOs is the announced impact and does not abort. */
  expectImpact(slos: readonly string[], forMs: number): void {
    const until = now(this.#parts) + forMs;
    for (const watched of this.slos) if (slos.includes(watched.slo.name)) watched.impactUntil = Math.max(watched.impactUntil, until);
  }

  /** Since when all SLOs have been steady; `undefined` while one is not. With no SLO: since ever. */
  steadySince(): number | undefined {
    let since = Number.NEGATIVE_INFINITY;
    for (const watched of this.slos) {
      if (watched.steadySince === undefined) return undefined;
      since = Math.max(since, watched.steadySince);
    }
    return since;
  }

  /** What is not steady now, for people. */
  broken(): string[] {
    return this.slos.filter((watched) => watched.steadySince === undefined).map(describe);
  }

  /** What was not steady at some moment since `time` (run time, ms), and what could not be measured. */
  brokenSince(time: number): string[] {
    const slos = this.slos.filter((watched) => watched.steadySince === undefined || (watched.lastBrokenAt ?? -1) >= time).map(describe);
    const dead = this.#probes
      .filter((watched) => watched.lastGoodAt < time)
      .map(({ planned }) => `probe ${planned.name} has no good sample`);
    return [...slos, ...dead];
  }

  /** Probes that keep a write ledger; each is settled after {@link stop}. */
  ledgers(): { readonly name: string; settle(signal: AbortSignal): Promise<LedgerResult> }[] {
    const sampling = this.#sampling;
    return sampling === undefined ? [] : sampling.ledgers.map((name) => ({ name, settle: (signal) => sampling.settle(name, signal) }));
  }

  #take(probe: string, samples: readonly Sample[]): void {
    const watched = this.#probes.find(({ planned }) => planned.name === probe);
    if (watched === undefined) return;
    watched.lastAt = now(this.#parts);
    const slos = this.slos.filter(({ slo }) => slo.probe === probe);
    for (const sample of samples) {
      watched.pending.push(sample);
      if (sample.ok) {
        watched.lastGoodAt = sample.end;
      }
      for (const slo of slos) {
        slo.tracker.add(sample);
        this.#evaluate(slo);
        this.abortRules.take(slo.slo.name, sample, slo.impactUntil);
      }
    }
  }

  #discount(stretch: InvalidStretch): void {
    void this.#record({ type: 'prober.invalid', ...stretch });
    const worthless = this.health.discount(stretch);
    if (worthless !== undefined && !this.#stopped) this.#unhealthy(worthless);
  }

  /** Whatever it says of the target from here on, it does not know. */
  #unhealthy(detail: string): void {
    this.#parts.control.stop({ kind: 'guard', guard: 'runner-health', detail });
  }

  #tick(): void {
    this.#watchOurselves();
    for (const watched of this.#probes) {
      if (watched.pending.length > 0) {
        const samples = watched.pending;
        watched.pending = [];
        // Never rejects: the recorder is tolerant and stops the run when the journal is gone.
        void this.#record({ type: 'probe.sampled', probe: watched.planned.name, samples });
      }
      const silentMs = now(this.#parts) - watched.lastAt;
      if (silentMs > silenceMs + watched.longestMs && this.#parts.control.phase === 'method') {
        this.#parts.control.stop({ kind: 'silence', probe: watched.planned.name, silentMs: Math.round(silentMs) });
      }
    }
    for (const slo of this.slos) {
      this.#evaluate(slo);
      const { value, samples } = slo.last;
      const measured = { type: 'slo.measured', slo: slo.slo.name, samples, level: slo.level } as const;
      void this.#record(value === undefined ? measured : { ...measured, value });
    }
  }

  #evaluate(watched: WatchedSlo): void {
    const time = now(this.#parts);
    const before = watched.level;
    watched.last = watched.tracker.measure(time);
    watched.level = levelOf(watched.slo, watched.last);
    if (steady(watched.level)) watched.steadySince ??= time;
    else {
      watched.steadySince = undefined;
      // A value that nobody can judge, because the prober itself stood still, was not seen to be broken.
      if (watched.level !== 'no-data' || watched.last.value === undefined) watched.lastBrokenAt = time;
    }
    if (watched.level !== before) this.#crossed(watched, before);
    if (this.#parts.control.phase !== 'method') return;
    this.health.inMethod(time);
    this.#judge(watched, time);
  }

  /** A runner that stood still (suspended, starved) measured itself and not the target: the run cannot prove anything any more. */
  #watchOurselves(): void {
    const time = now(this.#parts);
    const stalledMs = time - this.#lastTickAt - tickMs;
    this.#lastTickAt = time;
    if (stalledMs < stallMs || this.#stopped) return;
    this.#unhealthy(`the runner itself stood still for ${formatDuration(stalledMs)}`);
  }

  #judge(watched: WatchedSlo, time: number): void {
    const { slo, last, level } = watched;
    const { value, samples } = last;
    if (level === 'no-data' && time >= watched.impactUntil) watched.unvouched = true;
    if (value === undefined) return;
    if (watched.worst === undefined || isWorse(slo, value, watched.worst.value)) watched.worst = { value, samples };
    if (time < watched.impactUntil) return;
    watched.judged = true;
    if (steady(level) || level === 'no-data') return;
    watched.broke ??= { value, at: time };
    if (level !== 'fatal') return;
    const threshold = slo.fatal?.text ?? '';
    this.#parts.control.stop({ kind: 'slo', slo: slo.name, value, unit: slo.unit, threshold, samples });
  }

  #crossed(watched: WatchedSlo, before: SloLevel): void {
    const { slo, level, last } = watched;
    const { value, samples } = last;
    if (value === undefined) return;
    if (level === 'warning' || level === 'severe' || level === 'fatal') {
      const expected = now(this.#parts) < watched.impactUntil;
      void this.#record({ type: 'slo.breached', slo: slo.name, level, value, threshold: slo[level]?.text ?? '', samples, expected });
    } else if (before !== 'no-data' && level === 'ok') {
      void this.#record({ type: 'slo.cleared', slo: slo.name, value });
    }
  }
}

/** Levels may point down: of `< 2` ready replicas the fewest are the worst. */
function isWorse({ warning, severe, fatal }: PlannedSlo, value: number, than: number): boolean {
  const down = (fatal ?? severe ?? warning)?.operator.startsWith('<') === true;
  return down ? value < than : value > than;
}

/** Longest time one sample of `probe` can take, ms. */
function longestSample(parts: RunParts, probe: string): number {
  const planned = parts.plan.probes.find((candidate) => candidate.name === probe);
  const definition = planned === undefined ? undefined : parts.probes.get(planned.kind);
  return planned === undefined || definition === undefined ? 0 : definition.longestSampleMs(definition.spec.parse(planned.spec));
}

function describe(watched: WatchedSlo): string {
  const { slo, last, steadySince, lastBrokenAt } = watched;
  const value = last.value === undefined ? 'no data' : formatQuantity(last.value, slo.unit);
  const limit = (slo.severe ?? slo.fatal)?.text ?? '';
  const when = steadySince === undefined || lastBrokenAt === undefined ? '' : `, last broken at ${formatDuration(lastBrokenAt)}`;
  return `SLO ${slo.name}: ${value} (limit ${limit}${when})`;
}
