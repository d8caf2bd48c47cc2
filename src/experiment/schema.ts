/** The schema of experiment files. What `with` and `expect` may hold comes from the registered faults. */
import * as z from 'zod';
import type { JsonObject } from '../core/json.ts';
import { nearest } from '../core/text.ts';
import { type Comparison, formatDuration, type Milliseconds } from '../core/units.ts';
import type { FaultDefinition } from '../faults/contract.ts';
import { comparison, duration, Name, percent, prose } from './scalars.ts';
import { Selector } from './selector.ts';

export type FaultRegistry = ReadonlyMap<string, FaultDefinition>;

const ExpectedImpact = z.strictObject({
  slos: z
    .array(Name)
    .min(1)
    .meta({ description: 'SLOs of the steady state whose fatal level is announced.', examples: [['checkout-errors']] }),
  for: duration({ min: '1s', max: '24h' }).meta({
    description: 'How long after the injection began they do not abort the run, 1s to 24h.',
  }),
});

const WaitStep = z.strictObject({
  wait: duration({ min: '100ms', max: '24h' }).meta({ description: 'Nothing is done for this long while the probes go on; 100ms to 24h.' }),
});

/** One step that injects `definition`'s fault. */
function faultStep(definition: FaultDefinition) {
  return z
    .strictObject({
      fault: z.literal(definition.kind).meta({ description: `${definition.title}. ${definition.summary}` }),
      on: Selector.meta({ description: 'Which hosts.', examples: [{ host: 'web-1' }] }),
      with: parametersField(definition),
      expect: expectField(definition),
      duration: durationField(definition),
      expectedImpact: ExpectedImpact.optional().meta({ description: 'The impact that is announced and therefore does not abort the run.' }),
    })
    .meta({ title: definition.title, description: definition.summary });
}

/** May be left out where every parameter has a default. */
function parametersField(definition: FaultDefinition): z.ZodType<JsonObject, unknown> {
  const description = `Parameters of ${definition.kind}.`;
  const parameters = definition.parameters as z.ZodType<JsonObject, unknown>;
  return parameters.safeParse({}, { jitless: true }).success
    ? parameters.prefault({}).meta({ description })
    : parameters.meta({ description });
}

function expectField(definition: FaultDefinition): z.ZodType<Readonly<Record<string, Comparison>>, unknown> {
  const measures = Object.entries(definition.measures).map(([name, measure]) => [
    name,
    comparison(measure.unit).optional().meta({ description: measure.description }),
  ]);
  const fields = Object.fromEntries(measures) as Record<string, z.ZodType<Comparison>>;
  return z.strictObject(fields).prefault({}).meta({ description: 'Clauses of the hypothesis about what the fault measures.' });
}

function durationField(definition: FaultDefinition): z.ZodType<Milliseconds | undefined, unknown> {
  const held = duration({ min: '1s', max: '24h' });
  switch (definition.duration) {
    case 'required':
      return held.meta({ description: 'How long the fault is held before it is reverted, 1s to 24h.' });
    case 'optional':
      return held.optional().meta({ description: 'Held this long, 1s to 24h, then reverted; without it the fault stays until rollback.' });
    case 'none':
      return z.never({ error: `${definition.kind} takes no duration: it happens in an instant\nremove this line` }).optional();
  }
}

/** Faults by name, so that a step's mistakes are told against the fault that it names. */
function faultSteps(faults: FaultRegistry) {
  const [first, ...others] = [...faults.values()].map(faultStep);
  if (first === undefined) throw new RangeError('no fault is registered');
  return z.discriminatedUnion('fault', [first, ...others]).transform((step) => ({ kind: 'fault' as const, ...step }));
}

const SteadyState = z.strictObject({
  baseline: duration({ min: '1s', max: '1h' })
    .prefault('15s')
    .meta({ description: 'The SLOs must hold this long before anything is injected, 1s to 1h. Default 15s.' }),
  slos: z
    .array(Name)
    .min(1)
    .meta({ description: 'SLOs of the environment that define normal.', examples: [['checkout-errors']] }),
  recovery: z
    .strictObject({
      within: duration({ min: '1s', max: '24h' })
        .prefault('60s')
        .meta({ description: 'The SLOs must be back this soon, 1s to 24h. Default 60s.' }),
      hold: duration({ min: '1s', max: '1h' }).prefault('10s').meta({ description: 'And stay back this long, 1s to 1h. Default 10s.' }),
    })
    .prefault({})
    .meta({ description: 'When the system counts as recovered.' }),
});

const Limits = z.strictObject({
  maxTargets: z.int().min(1).max(10_000).default(1).meta({ description: 'Most hosts one step may hit. Default 1.' }),
  maxShare: percent().prefault('50%').meta({ description: 'Largest share of a group that may be hit; rounded down. Default 50%.' }),
  maxDuration: duration({ min: '1s', max: '24h' })
    .prefault('10m')
    .meta({ description: 'The run is stopped and rolled back after this long, 1s to 24h. Default 10m.' }),
});

function experimentFields(faults: FaultRegistry) {
  const waitStep = WaitStep.transform((step) => ({ kind: 'wait' as const, ...step }));
  return z.strictObject({
    apiVersion: z.literal('chaos/v1').meta({ description: 'Version of the file format.' }),
    kind: z.literal('Experiment'),
    name: Name.meta({ description: 'The same as the file’s name without its ending.', examples: ['db-failover'] }),
    title: prose('The primary database dies and its standby takes over').meta({ description: 'One line for lists and reports.' }),
    owner: prose('payments-sre').meta({ description: 'The team that answers for this experiment.', examples: ['payments-sre'] }),
    tags: z.array(Name).default([]).meta({ description: 'For finding experiments. Default none.' }),
    runbook: prose('../runbooks/db-failover.md')
      .optional()
      .meta({ description: 'Path from this file, or URL, of the runbook that is exercised.' }),
    hypothesis: prose('When the primary dies, writes resume within 30 s.').meta({
      description: 'What is believed to happen, in a sentence that can turn out false.',
      examples: ['When the primary dies, writes resume within 30 s.'],
    }),
    steadyState: SteadyState.meta({ description: 'What normal is.', examples: [{ slos: ['checkout-errors'] }] }),
    method: z
      .array(z.union([faultSteps(faults), waitStep]))
      .min(1)
      .meta({ description: 'Steps in order; at least one fault.', examples: [[{ fault: 'process-kill', on: { host: 'web-1' } }]] }),
    limits: Limits.prefault({}).meta({ description: 'Blast radius of this experiment; the environment’s guards can only narrow it.' }),
  });
}

export type Experiment = z.infer<ReturnType<typeof experimentFields>>;
export type ExperimentStep = Experiment['method'][number];
export type ExperimentFaultStep = Extract<ExperimentStep, { kind: 'fault' }>;

/** The schema over a set of faults; strict at every depth. */
export function experimentSchema(faults: FaultRegistry) {
  return experimentFields(faults).superRefine(checkExperiment);
}

/** Rules between fields; JSON Schema cannot say them. */
function checkExperiment(experiment: Experiment, context: z.RefinementCtx): void {
  const mistake = (code: string, path: (string | number)[], message: string): void =>
    context.addIssue({ code: 'custom', params: { code }, path, message });

  const faults = experiment.method.filter((step) => step.kind === 'fault');
  if (faults.length === 0) mistake('no-fault', ['method'], 'the method injects no fault\nfor example: - fault: process-kill');

  const total = experiment.method.reduce((sum, step) => sum + (step.kind === 'wait' ? step.wait : (step.duration ?? 0)), 0);
  if (total > experiment.limits.maxDuration) {
    const limit = formatDuration(experiment.limits.maxDuration);
    mistake(
      'too-long',
      ['method'],
      `the method alone takes ${formatDuration(total)}, longer than the limit of ${limit}\nraise limits.maxDuration, or wait less`,
    );
  }

  const { slos } = experiment.steadyState;
  for (const [index, step] of experiment.method.entries()) {
    if (step.kind === 'wait') continue;
    for (const [at, slo] of (step.expectedImpact?.slos ?? []).entries()) {
      if (slos.includes(slo)) continue;
      const near = nearest(slo, slos);
      const help = near === undefined ? `steadyState.slos has: ${slos.join(', ')}` : `did you mean ${JSON.stringify(near)}?`;
      mistake('unknown-slo', ['method', index, 'expectedImpact', 'slos', at], `${JSON.stringify(slo)} is not in steadyState.slos\n${help}`);
    }
  }
}
