/** A plan for people: what will be hit, what the guards say, every command with its undo, in the order of the run. */
import { plural } from '../core/text.ts';
import { formatDuration, formatPeriod, formatQuantity } from '../core/units.ts';
import { plannedTargets } from '../journal/fold-facts.ts';
import { oneLine } from '../journal/fold-words.ts';
import type { Plan, PlannedHost, PlannedSlo } from '../plan/plan.ts';
import { displayWidth, pad, wrap } from './columns.ts';
import { interruptInPlan } from './interrupt.ts';
import { outline, renderStep } from './plan-steps.ts';
import { type Style, styleFor } from './style.ts';

export interface PlanViewOptions {
  readonly color: boolean;
  /** Prose is wrapped to it, commands never are: they are to be copied. Default 100. */
  readonly columns?: number;
}

/** Ends with a line break. */
export function renderPlan(plan: Plan, { color, columns = 100 }: PlanViewOptions): string {
  const style = styleFor(color);
  const parts = [
    header(plan, style, columns),
    section('Targets', targets(plan, style), style),
    section('Guards', guards(plan, style), style),
    section('Steady state', [...steadyState(plan), ...abortRule(plan, style)], style),
    section('Probes', probes(plan), style),
    section('What changes, in short', outline(plan.steps), style),
    section(
      'Steps',
      plan.steps.flatMap((step) => renderStep(step, style)),
      style,
    ),
    section('Ctrl-C', bullets(interruptInPlan(plan), columns), style),
    section('Limits', limits(plan), style),
    [`${style('muted', 'plan')} ${plan.hash}`],
  ];
  return `${parts.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

function header(plan: Plan, style: Style, columns: number): string[] {
  const { experiment, environment } = plan;
  const fact = (name: string, value: string): string => `  ${style('muted', pad(name, 12))}${oneLine(value)}`;
  return [
    style('title', `${experiment.name}: ${oneLine(experiment.title)}`),
    fact('experiment', `${experiment.file} (sha256 ${experiment.sha256.slice(0, 12)})`),
    fact('environment', `${environment.name}, tier ${environment.tier} (${environment.file})`),
    fact('owner', experiment.owner),
    ...(experiment.runbook === undefined ? [] : [fact('runbook', experiment.runbook)]),
    ...wrap(oneLine(experiment.hypothesis), columns - 14).map(
      (line, index) => `  ${style('muted', pad(index === 0 ? 'hypothesis' : '', 12))}${line}`,
    ),
  ];
}

function section(title: string, lines: readonly string[], style: Style): string[] {
  return [style('title', title), ...(lines.length === 0 ? ['  none'] : lines)];
}

function targets(plan: Plan, style: Style): string[] {
  const changed = plannedTargets(plan);
  const table = plan.hosts.map((host) => {
    const steps = plan.steps.filter((step) => step.kind === 'fault' && step.targets.includes(host.id)).map((step) => step.id);
    const what = steps.length > 0 ? `target of ${steps.join(', ')}` : changed.includes(host.id) ? 'changed too' : 'read only';
    const tags = [...host.groups.map((group) => `group ${group}`), ...host.roles.map((role) => `role ${role}`)];
    return [host.id, what, `${host.user}@${host.address}:${host.port}`, tags.join(', ')];
  });
  return rows(table).flatMap((line, index) => {
    const host = plan.hosts[index];
    const lines = [line, ...(host === undefined ? [] : way(host))];
    return table[index]?.[1] === 'read only' ? lines.map((one) => style('muted', one)) : lines;
  });
}

/** How the runner reaches it where that is not a direct connection; a proxy command runs on this machine. */
function way({ jumps, proxyCommand }: PlannedHost): string[] {
  const by = (command: string | undefined): string => (command === undefined ? '' : `by the local command  ${oneLine(command)}`);
  return [
    ...jumps.map((jump) => `through ${oneLine(`${jump.user}@${jump.address}:${jump.port}`)} ${by(jump.proxyCommand)}`),
    ...(proxyCommand === undefined ? [] : [by(proxyCommand)]),
  ].map((line) => `    ${line}`.trimEnd());
}

function guards(plan: Plan, style: Style): string[] {
  const width = Math.max(0, ...plan.guards.map((answer) => displayWidth(answer.guard)));
  return plan.guards.flatMap(({ guard, allowed, reason, remedy }) => {
    const word = allowed ? style('good', 'allowed') : style('bad', 'REFUSED');
    const line = `  ${word}  ${pad(guard, width)}  ${oneLine(reason)}`;
    return remedy === undefined ? [line] : [line, `  ${' '.repeat(9 + width)}  ${style('warning', 'remedy:')} ${oneLine(remedy)}`];
  });
}

function steadyState(plan: Plan): string[] {
  const { baselineMs, recovery } = plan.steadyState;
  return [
    `  must hold ${formatDuration(baselineMs)} before injection; back within ${formatDuration(recovery.withinMs)}, held for ${formatDuration(recovery.holdMs)}`,
    ...rows(
      plan.slos.map((slo) => [
        slo.name,
        `${slo.measure} of ${slo.probe} over ${formatDuration(slo.windowMs)}`,
        [levels(slo), ...promised(slo)].join(', '),
      ]),
    ),
  ];
}

/** A probe that writes says so: the plan shows all that is touched. */
function probes(plan: Plan): string[] {
  const table = rows(plan.probes.map(({ name, kind, spec }) => [name, kind, oneLine(JSON.stringify(spec))]));
  return plan.probes.flatMap((probe, index) => [
    table[index] ?? '',
    ...(probe.changes ?? []).map((change) => `    changes: ${oneLine(change)}`),
  ]);
}

function promised({ objective }: PlannedSlo): string[] {
  return objective === undefined
    ? []
    : [`objective ${Number((objective.share * 100).toPrecision(6))} % over ${formatPeriod(objective.periodMs)}`];
}

function levels(slo: PlannedSlo): string {
  return (['warning', 'severe', 'fatal'] as const)
    .flatMap((level) => (slo[level] === undefined ? [] : [`${level} ${slo[level].text}`]))
    .concat(slo.fatal === undefined ? ['no level that aborts the run'] : [])
    .join(', ');
}

/** What stops the run besides fatal levels; what the baseline makes of it is only known when it has been seen. */
function abortRule({ abort, slos }: Plan, style: Style): string[] {
  if (abort === undefined || slos.length === 0) return [];
  if (abort === 'off') return [style('warning', '  abort rule OFF: bad samples stop the run only by the fatal level of an SLO')];
  const { bad, of, consecutive } = abort;
  return [
    `  aborts at ${bad} bad of the last ${of} samples, or more where an SLO tolerates more, or at ${consecutive} failures in a row;`,
    '  raised where the baseline asks for it, refused where none would do',
  ];
}

function limits(plan: Plan): string[] {
  const { limits: caps, timeouts } = plan;
  return [
    `  at most ${plural(caps.maxTargets, 'target')}, ${formatQuantity(caps.maxShare, 'ratio')} of a group, ${formatDuration(caps.maxDurationMs)} in all`,
    `  connect within ${formatDuration(timeouts.connectMs)}, prepare within ${formatDuration(timeouts.prepareMs)}, roll back within ${formatDuration(timeouts.rollbackMs)}`,
  ];
}

function bullets(lines: readonly string[], columns: number): string[] {
  return lines.flatMap((text) => wrap(text, columns - 4).map((line, index) => `  ${index === 0 ? '-' : ' '} ${line}`));
}

/** Left-aligned columns; the last one is not padded. */
function rows(table: readonly (readonly string[])[]): string[] {
  const widths = (table[0] ?? []).map((_, column) => Math.max(...table.map((row) => displayWidth(oneLine(row[column] ?? '')))));
  return table.map((row) => `  ${row.map((cell, column) => pad(oneLine(cell), widths[column] ?? 0)).join('  ')}`.trimEnd());
}
