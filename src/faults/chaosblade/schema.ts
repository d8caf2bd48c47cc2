import * as z from 'zod';
import { shellField } from '../fields.ts';

const Word = () =>
  z
    .string()
    .min(1, { error: 'expected a word, got an empty text' })
    .max(1_000, { error: 'expected a word of at most 1000 characters' })
    // biome-ignore lint/suspicious/noControlCharactersInRegex: refusing them is the point
    .regex(/^[^\u0000-\u001f\u007f]*$/, { error: 'a word cannot hold control characters' })
    .refine((text) => !/@[a-z][a-z0-9-]*@/.test(text), { error: '@…@ stands for a value the runner fills in and cannot be used here' });

const flag = (word: string): string => word.replace(/=.*$/s, '');
/** What would take the experiment out of the runner's hands, and why. */
const flags: Readonly<Record<string, string>> = {
  '--uid': 'the runner chooses the uid',
  '--async': 'what is not finished when the command returns cannot be proved',
  '-a': 'what is not finished when the command returns cannot be proved',
  '--channel': 'the target is the host that was selected, not another one over ssh',
};
/** Without --force a deleted file is only moved away. */
const irreversible = [
  ['process', 'kill'],
  ['file', 'delete', '--force'],
];

function mistake(words: readonly string[]): string | undefined {
  const [first = '', second] = words;
  if (first.startsWith('-')) return `expected what is created first, such as cpu, got ${first}`;
  if (['create', 'blade', 'c'].includes(first)) return `blade create stands before the words already: leave out ${first}`;
  if (first === 'k8s') return 'a k8s experiment acts on a cluster and not on the host that was selected';
  const bad = words.map(flag).find((word) => Object.hasOwn(flags, word));
  if (bad !== undefined) return `${bad} cannot be used: ${flags[bad]}`;
  const once = irreversible.find(
    ([target, action, ...rest]) => target === first && action === second && rest.every((word) => words.includes(word)),
  );
  if (once !== undefined) return `blade cannot undo ${once.join(' ')}: use another fault`;
  return undefined;
}

export const chaosbladeParameters = () =>
  z.strictObject({
    create: z
      .array(Word())
      .min(2)
      .max(100)
      .superRefine((words, context) => {
        const message = mistake(words);
        if (message !== undefined) context.addIssue({ code: 'custom', message });
      })
      .meta({
        description:
          'The words after `blade create`, 2 to 100, each one argument: [cpu, fullload, --cpu-percent, "60"]. Never seen by a shell as anything else.',
      }),
    blade: z
      .string()
      .regex(/^\/[A-Za-z0-9._/+-]+$/, { error: 'expected an absolute path of letters, digits and . _ / + -' })
      .max(1_000)
      .optional()
      .meta({ description: 'Path of the blade command. Default: `blade` of the PATH, else /opt/chaosblade/blade.' }),
    verify: shellField().optional().meta({
      description:
        'Shell command that exits 0 while the effect is there and not 0 when it is not. Must only read, and return in 10 s. Default: none; then only what `blade status` says counts.',
    }),
  });
export type ChaosbladeParameters = z.infer<ReturnType<typeof chaosbladeParameters>>;
