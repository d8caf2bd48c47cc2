/** The table of `chaos doctor`: a line a host, then what is missing, and in the end how many are ready. */
import { clip, displayWidth, pad, wrap } from './columns.ts';
import { styleFor } from './style.ts';

export interface DoctorHost {
  readonly host: string;
  readonly connected: boolean;
  /** What of an examination is shown; views know nothing of faults. */
  readonly examination?: {
    readonly os: string;
    readonly kernel: string;
    readonly init: string;
    readonly root: boolean;
    readonly clock: { readonly offsetMs: number; readonly withinMs: number };
    readonly freeBytes: number;
    readonly stressNg: boolean;
  };
  /** Why it is not ready, empty when it is. */
  readonly problems: readonly string[];
  /** Faults that cannot run there. */
  readonly lacking: readonly string[];
}

export interface Lack {
  readonly name: string;
  readonly hosts: readonly string[];
  readonly reasons: readonly string[];
  readonly disables: readonly string[];
  readonly remedy: string;
}

const columns = 120;
const mostHosts = 6;
const head = ['HOST', 'OS', 'KERNEL', 'INIT', 'ROOT', 'CLOCK', 'FREE', 'BURNER', 'FAULTS'];

export function renderDoctor(hosts: readonly DoctorHost[], lacks: readonly Lack[], options: { readonly color: boolean }): string[] {
  const style = styleFor(options.color);
  const rows = [head, ...hosts.map(cells)];
  const widths = head.map((_, column) => Math.max(...rows.map((row) => displayWidth(row[column] ?? ''))));
  const table = rows.map((row, index) => {
    const line = row
      .map((cell, column) => pad(cell, widths[column] ?? 0))
      .join('  ')
      .trimEnd();
    if (index === 0) return style('title', line);
    return (hosts[index - 1]?.problems.length ?? 0) > 0 ? style('bad', line) : line;
  });
  const ready = hosts.filter(({ problems }) => problems.length === 0).length;
  return [
    ...table,
    ...hosts.flatMap(({ host, problems }) =>
      problems.flatMap((problem) => ['', ...paragraph(style('bad', `${host}: `), `${host}: `, problem)]),
    ),
    ...lacks.flatMap((lack) => ['', ...describe(lack, hosts.length, style)]),
    '',
    style(ready === hosts.length ? 'good' : 'bad', `${ready} of ${hosts.length} hosts are ready`),
  ];
}

function cells({ host, connected, examination, problems, lacking }: DoctorHost): string[] {
  if (examination === undefined) return [host, connected ? 'connected, but nothing is known' : 'not reached'];
  const { os, kernel, init, root, clock, freeBytes, stressNg } = examination;
  const burner = stressNg ? 'stress-ng' : 'built-in';
  const faults = problems.length > 0 ? 'not ready' : lacking.length === 0 ? 'all' : `all but ${lacking.length}`;
  return [host, clip(os, 32), clip(kernel, 28), init, root ? 'yes' : 'no', offset(clock), size(freeBytes), burner, faults];
}

function offset({ offsetMs, withinMs }: { readonly offsetMs: number; readonly withinMs: number }): string {
  if (Math.abs(offsetMs) <= withinMs) return `±${(withinMs / 1_000).toFixed(2)} s`;
  return `${offsetMs > 0 ? '+' : '-'}${(Math.abs(offsetMs) / 1_000).toFixed(2)} s`;
}

function size(bytes: number): string {
  const gigabytes = bytes / 1_024 ** 3;
  return gigabytes >= 1 ? `${gigabytes.toFixed(1)} GB` : `${Math.floor(bytes / 1_024 ** 2)} MB`;
}

function describe({ name, hosts, reasons, disables, remedy }: Lack, all: number, style: ReturnType<typeof styleFor>): string[] {
  const others = hosts.length - mostHosts;
  const some = others > 0 ? `${hosts.slice(0, mostHosts).join(', ')} and ${others} more` : hosts.join(', ');
  const where = hosts.length === all && all > 1 ? 'any host' : some;
  const because = reasons.filter((reason) => reason !== '').join('; ');
  const text = `not on ${where}${because === '' ? '' : ` (${because})`}. Cannot run there: ${disables.join(', ') || 'nothing'}. To mend it: ${remedy}.`;
  return paragraph(style('warning', `${name}: `), `${name}: `, text);
}

/** `lead` in colour, as wide as `plain`; the lines below are set in by two. */
function paragraph(lead: string, plain: string, text: string): string[] {
  const [first = '', ...rest] = wrap(`${plain}${text}`, columns);
  return [lead + first.slice(plain.length), ...rest.map((line) => `  ${line}`)];
}
