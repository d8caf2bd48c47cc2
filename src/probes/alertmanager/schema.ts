import * as z from 'zod';
import { rateField, timeoutField } from '../fields.ts';
import { checkAccess, httpAccess, urlField } from '../http-fields.ts';

/** `name="value"`, `name!="value"`, `name=~"pattern"`, `name!~"pattern"`. */
const matcher = /^[A-Za-z_][A-Za-z0-9_]*\s*(?:=|!=|=~|!~)\s*"(?:[^"\\\n]|\\["\\n])*"$/;

/** What stands under `alertmanager` in an environment file. */
export const AlertmanagerSpec = z
  .strictObject({
    url: urlField('Address of the Alertmanager, without /api/v2.'),
    alert: z
      .string()
      .regex(/^[^"\\\n]+$/, { error: 'expected the name of an alert' })
      .meta({ description: 'Name of the alert, its label alertname.', examples: ['CheckoutErrors'] }),
    matchers: z
      .array(z.string().regex(matcher, { error: 'expected a matcher such as severity="page" or instance=~"web-.*"' }))
      .default([])
      .meta({ description: 'What its labels must be besides; all must hold. Default none.', examples: [['severity="page"']] }),
    muted: z.boolean().default(false).meta({
      description: 'Count it as firing also while a silence or another alert mutes it, so that nobody is told. Default false.',
    }),
    ...httpAccess,
    rate: rateField('1/s', 'How often the Alertmanager is asked.'),
    timeout: timeoutField('5s', 'A question without a complete answer by then is a sample that is not ok and ends at the timeout.'),
  })
  .superRefine(checkAccess);
export type AlertmanagerSpec = z.infer<typeof AlertmanagerSpec>;
