/** `web[01:20].example.com`, `db-[a:c]`, `n[1:9:2]`: both ends included, as Ansible writes them. */
const most = 10_000;

export function expandRange(pattern: string, wrong: (what: string) => Error): string[] {
  const match = /^([^[]*)\[([^\]:]+):([^\]:]+)(?::(\d+))?\](.*)$/.exec(pattern);
  if (match === null) {
    if (/[[\]]/.test(pattern)) throw wrong(`${JSON.stringify(pattern)} is neither a name nor a range such as web[1:20]`);
    return [pattern];
  }
  const [, before = '', first = '', last = '', step = '1', after = ''] = match;
  const steps = Number(step);
  const values = steps > 0 ? between(first, last, steps) : undefined;
  if (values === undefined || values.length === 0) throw wrong(`the range in ${JSON.stringify(pattern)} holds nothing`);
  if (values.length > most) throw wrong(`the range in ${JSON.stringify(pattern)} holds more than ${most} hosts`);
  return values.flatMap((value) => expandRange(`${before}${value}${after}`, wrong));
}

function between(first: string, last: string, step: number): string[] | undefined {
  const count = (from: number, to: number): number[] =>
    Array.from({ length: Math.max(0, Math.min(Math.floor((to - from) / step) + 1, most + 1)) }, (_, index) => from + index * step);
  if (/^\d+$/.test(first) && /^\d+$/.test(last)) {
    // Leading zeros say how wide the numbers are.
    const width = first.startsWith('0') ? first.length : 0;
    return count(Number(first), Number(last)).map((value) => String(value).padStart(width, '0'));
  }
  if (/^[a-zA-Z]$/.test(first) && /^[a-zA-Z]$/.test(last)) {
    return count(first.charCodeAt(0), last.charCodeAt(0)).map((code) => String.fromCharCode(code));
  }
  return undefined;
}
