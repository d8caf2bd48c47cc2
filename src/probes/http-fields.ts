// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references to secrets are written this way
/** Fields that all probes over HTTP share, and the rules between them. */
import * as z from 'zod';
import { isReference } from './fields.ts';
import { Tls } from './tls.ts';

/** RFC 9110: a header's name is a token; its value has no line breaks or other control characters. */
const headerName = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const headerValue = /^[\t\x20-\x7e\x80-\xff]*$/;
const secretHeader = /^(?:authorization|proxy-authorization|cookie|x-api-key)$/i;

export function urlField(description: string) {
  return z.string().refine(isHttpUrl, { error: 'expected a URL that begins with http:// or https://' }).meta({ description });
}

export const httpAccess = {
  headers: z
    .record(
      z.string().regex(headerName, { error: 'expected the name of an HTTP header' }),
      z.string().regex(headerValue, { error: 'expected a header value without line breaks' }),
    )
    .default({})
    .meta({ description: 'Headers sent with each request, name to value. Default none.' }),
  bearer: z
    .string()
    .min(1)
    .optional()
    .meta({ description: 'Token sent as `Authorization: Bearer`, as a reference. Default none.', examples: ['${file:keys/token}'] }),
  basic: z
    .strictObject({
      user: z
        .string()
        .regex(/^[^:]+$/, { error: 'expected a name without a colon' })
        .meta({ description: 'Name of the account.' }),
      password: z.string().meta({ description: 'Its password, as a reference.', examples: ['${file:keys/password}'] }),
    })
    .optional()
    .meta({ description: 'Account sent as `Authorization: Basic`. Default none.' }),
  tls: Tls.optional().meta({ description: 'Whom to trust when the URL is https. Default: the well-known authorities.' }),
};

interface HttpAccess {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly bearer?: string | undefined;
  readonly basic?: { readonly user: string; readonly password: string } | undefined;
  readonly tls?: Tls | undefined;
}

/** For `superRefine`: one authorization at most, and trust only where it is asked for. */
export function checkAccess(spec: HttpAccess, context: z.RefinementCtx): void {
  const refuse = (field: string, message: string): void => {
    context.addIssue({ code: 'custom', path: [field], message });
  };
  const named = Object.keys(spec.headers).some((name) => name.toLowerCase() === 'authorization');
  if (spec.bearer !== undefined && spec.basic !== undefined) refuse('basic', 'expected either bearer or basic');
  else if (named && (spec.bearer !== undefined || spec.basic !== undefined))
    refuse(spec.bearer === undefined ? 'basic' : 'bearer', 'the headers have an Authorization of their own');
  if (spec.tls !== undefined && /^http:/i.test(spec.url)) refuse('tls', 'an http URL has no TLS: did you mean https?');
}

/** The headers of a request, with the authorization; secrets are resolved. */
export function accessHeaders({ headers, bearer, basic }: HttpAccess): Record<string, string> {
  if (bearer !== undefined) return { ...headers, authorization: `Bearer ${bearer}` };
  if (basic === undefined) return { ...headers };
  return { ...headers, authorization: `Basic ${Buffer.from(`${basic.user}:${basic.password}`).toString('base64')}` };
}

/** Where a secret is written out. */
export function literalSecrets({ url, headers, bearer, basic }: HttpAccess): string[][] {
  const isLiteral = (text: string | undefined): text is string => text !== undefined && !isReference(text);
  return [
    ...(isLiteral(url) && new URL(url).password !== '' ? [['url']] : []),
    ...Object.entries(headers).flatMap(([name, value]) => (secretHeader.test(name) && isLiteral(value) ? [['headers', name]] : [])),
    ...(isLiteral(bearer) ? [['bearer']] : []),
    ...(isLiteral(basic?.password) ? [['basic', 'password']] : []),
  ];
}

/** A text with a secret reference in it is a URL only once that is resolved. */
function isHttpUrl(text: string): boolean {
  if (isReference(text)) return true;
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
}
