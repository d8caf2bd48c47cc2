// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references to secrets are written this way
/**
 * `${env:NAME}` and `${file:PATH}`: secrets by reference. Their syntax is checked when a file is read; what they stand for is looked
 * up only when it is needed, and is never in a plan, journal, log, report or error text.
 */
import { readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { ChaosError } from '../core/errors.ts';
import { didYouMean } from '../experiment/explain.ts';
import type { Mistake, PlacedMistake } from '../experiment/source.ts';

const referencePattern = /\$\{([^}]*)\}/g;
const environmentName = /^[A-Za-z_][A-Za-z0-9_]*$/;
const schemes = ['env', 'file'] as const;
/** A secret that is larger is not a secret but the wrong file. */
const maxFileBytes = 65_536;
/** Shorter values are too common in ordinary text to be replaced everywhere. */
const minRedacted = 4;

/** Everything wrong with the references in any text of `data`, each at its path. */
export function referenceMistakes(data: unknown, at: readonly PropertyKey[] = []): PlacedMistake[] {
  if (typeof data === 'string') return textMistakes(data).map((mistake) => ({ ...mistake, path: at }));
  if (data === null || typeof data !== 'object') return [];
  const entries: [PropertyKey, unknown][] = Array.isArray(data) ? [...data.entries()] : Object.entries(data);
  return entries.flatMap(([key, inner]) => referenceMistakes(inner, [...at, key]));
}

function textMistakes(text: string): Mistake[] {
  const found = [...text.matchAll(referencePattern)].flatMap(([, inner = '']) => referenceMistake(inner) ?? []);
  const open = text.replaceAll(referencePattern, '').includes('${');
  return open ? [...found, { code: 'bad-reference', summary: 'a reference begins with ${ but has no closing }' }] : found;
}

function referenceMistake(inner: string): Mistake | undefined {
  const [scheme = '', ...rest] = inner.split(':');
  const target = rest.join(':');
  const code = 'bad-reference';
  if (scheme === 'vault') {
    return {
      code,
      summary: 'references to a vault are not supported yet',
      detail: 'let the vault write a file or a variable, and use ${file:PATH} or ${env:NAME}',
    };
  }
  if (rest.length === 0) {
    return {
      code,
      summary: `\${${inner}} is not a reference`,
      detail: `references are \${env:NAME} and \${file:PATH}; a shell variable is written $NAME`,
    };
  }
  if (scheme !== 'env' && scheme !== 'file')
    return { code, summary: `unknown reference scheme ${JSON.stringify(scheme)}`, detail: didYouMean(scheme, schemes) };
  if (target === '')
    return {
      code,
      summary: `\${${inner}} names nothing`,
      detail: scheme === 'env' ? 'for example: ${env:DB_PASSWORD}' : 'for example: ${file:keys/password}',
    };
  if (scheme === 'env' && !environmentName.test(target)) {
    return {
      code,
      summary: `${JSON.stringify(target)} is not the name of an environment variable`,
      detail: 'letters, digits and underscores',
    };
  }
  return undefined;
}

/** `~` and paths relative to `folder`, made absolute. */
export function absolutePath(file: string, folder: string): string {
  if (file === '~' || file.startsWith('~/')) return path.join(homedir(), file.slice(1));
  return path.resolve(folder, file);
}

/** Every text of `data` with the paths inside its `${file:…}` made absolute. */
export function absoluteReferences<T>(data: T, folder: string): T {
  return mapTexts(data, (text) => text.replaceAll(/\$\{file:([^}]*)\}/g, (_all, file: string) => `\${file:${absolutePath(file, folder)}}`));
}

function mapTexts<T>(data: T, change: (text: string) => string): T {
  const walk = (value: unknown): unknown => {
    if (typeof value === 'string') return change(value);
    if (Array.isArray(value)) return value.map(walk);
    if (value === null || typeof value !== 'object') return value;
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, walk(inner)]));
  };
  return walk(data) as T;
}

/** Looks references up and remembers what it handed out, so that it can be kept out of everything that is shown or stored. */
export class References {
  readonly #environment: Readonly<Record<string, string | undefined>>;
  readonly #secrets = new Set<string>();
  #matcher: RegExp | undefined;

  constructor(environment: Readonly<Record<string, string | undefined>> = process.env) {
    this.#environment = environment;
  }

  /** `text` with its references replaced. Rejects with `CHAOS_SECRET`, naming the reference and never the value. */
  resolve(text: string): string {
    return text.replaceAll(referencePattern, (reference, inner: string) => {
      const value = this.#lookUp(reference, inner);
      this.#remember(value);
      return value;
    });
  }

  /** Plain data with the references in all its texts replaced; the keys of maps stay as they are. */
  resolveDeep<T>(data: T): T {
    return mapTexts(data, (text) => this.resolve(text));
  }

  /** `text` with every value handed out so far (of 4 characters and more) replaced by `[redacted]`. */
  redact(text: string): string {
    if (this.#secrets.size === 0) return text;
    this.#matcher ??= new RegExp(
      [...this.#secrets]
        .sort((a, b) => b.length - a.length)
        .map(escapeRegExp)
        .join('|'),
      'g',
    );
    return text.replace(this.#matcher, '[redacted]');
  }

  #remember(value: string): void {
    // The same secret looks different inside JSON (the journal) and inside a URL.
    for (const form of [value, JSON.stringify(value).slice(1, -1), percentEncoded(value)]) {
      if (form.length < minRedacted || this.#secrets.has(form)) continue;
      this.#secrets.add(form);
      this.#matcher = undefined;
    }
  }

  #lookUp(reference: string, inner: string): string {
    const mistake = referenceMistake(inner);
    if (mistake !== undefined)
      throw new ChaosError('CHAOS_SECRET', mistake.summary, mistake.detail === undefined ? {} : { hint: mistake.detail });
    const target = inner.slice(inner.indexOf(':') + 1);
    return inner.startsWith('env:') ? this.#variable(reference, target) : secretFile(reference, target);
  }

  #variable(reference: string, name: string): string {
    const value = Object.hasOwn(this.#environment, name) ? this.#environment[name] : undefined;
    if (value !== undefined && value !== '') return value;
    const state = value === undefined ? 'is not set' : 'is empty';
    throw new ChaosError('CHAOS_SECRET', `${reference}: the environment variable ${name} ${state}`, { hint: `export ${name}=...` });
  }
}

function secretFile(reference: string, file: string): string {
  if (!path.isAbsolute(file)) throw new ChaosError('CHAOS_SECRET', `${reference}: the path is not absolute`);
  let content: string;
  try {
    const { size } = statSync(file);
    if (size > maxFileBytes)
      throw new ChaosError('CHAOS_SECRET', `${reference}: the file has ${size} bytes; at most ${maxFileBytes} are read`);
    content = readFileSync(file, 'utf8').replace(/\r?\n$/, '');
  } catch (error) {
    if (error instanceof ChaosError) throw error;
    throw new ChaosError('CHAOS_SECRET', `${reference}: the file cannot be read`, {
      cause: error,
      hint: `check that ${file} exists and is yours to read`,
    });
  }
  if (content === '') throw new ChaosError('CHAOS_SECRET', `${reference}: the file is empty`);
  return content;
}

/** A lone surrogate cannot be encoded. */
function percentEncoded(value: string): string {
  return encodeURIComponent(value.replaceAll(/\p{Surrogate}/gu, '\ufffd'));
}

function escapeRegExp(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\/]/g, '\\$&');
}
