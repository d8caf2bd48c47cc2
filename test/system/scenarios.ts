/** What is done to every fault on real hosts: the columns of the table of results. */
export const scenarios = [
  'seen from outside',
  'end of the run',
  'runner killed',
  'link cut',
  'cut and killed',
  'half-way on the second of three',
  'target restarted meanwhile',
  'undone twice by hand',
  'recover twice',
  'twice at once',
] as const;
export type Scenario = (typeof scenarios)[number];

/** A line of the file that the tests write. */
export interface Result {
  readonly fault: string;
  readonly scenario: Scenario;
  readonly words: string;
}

declare module 'vitest' {
  interface ProvidedContext {
    /** Where the results are written, a JSON object a line. */
    results: string;
  }
}
