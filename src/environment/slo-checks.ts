/** Rules of an SLO's levels: their units, which way they point, their order. */
import { type Comparison, formatQuantity, type Unit } from '../core/units.ts';
import type { FieldMistake } from './checks.ts';

const names = ['warning', 'severe', 'fatal'] as const;

type Levels = { readonly [Level in (typeof names)[number]]?: Comparison | undefined };
type Level = { readonly level: (typeof names)[number]; readonly threshold: Comparison };

const examples: Readonly<Record<Unit, string>> = { ratio: '"> 5%"', duration: '"> 500ms"', count: '"> 100"' };
const nouns: Readonly<Record<Unit, string>> = { ratio: 'a percentage', duration: 'a duration', count: 'a plain number' };

export function levelMistakes(path: readonly string[], measure: string, unit: Unit, slo: Levels): FieldMistake[] {
  const levels = names.flatMap((level): Level[] => {
    const threshold = slo[level];
    return threshold === undefined ? [] : [{ level, threshold }];
  });
  if (levels.length === 0) {
    const message = `expected at least one of warning, severe and fatal\nfor example: fatal: ${examples[unit]}`;
    return [{ code: 'no-level', path, message }];
  }
  const each = levels.flatMap(({ level, threshold }) => thresholdMistakes([...path, level], measure, unit, threshold));
  return each.length > 0 ? each : orderMistakes(path, levels);
}

function thresholdMistakes(path: readonly string[], measure: string, unit: Unit, threshold: Comparison): FieldMistake[] {
  if (threshold.unit !== unit) {
    const message = `${measure} is measured as ${nouns[unit]}, got "${threshold.text}"\nfor example ${examples[unit]}`;
    return [{ code: 'unit-mismatch', path, message }];
  }
  const value = threshold.text.replace(/^[<>=]+\s*/, '');
  if (unit === 'count') {
    if (threshold.operator !== '==') return [];
    const message = `a level says from where on it is bad, and "${threshold.text}" is a single point\ndid you mean ">= ${value}" or "<= ${value}"?`;
    return [{ code: 'wrong-direction', path, message }];
  }
  if (threshold.operator !== '>' && threshold.operator !== '>=') {
    const message = `"${threshold.text}" would be reached while all is well: a level says from where on it is bad\ndid you mean "> ${value}"?`;
    return [{ code: 'wrong-direction', path, message }];
  }
  const unreachable = unit === 'ratio' && (threshold.value > 1 || (threshold.value === 1 && threshold.operator === '>'));
  if (!unreachable) return [];
  const way = threshold.operator === '>' ? 'above' : 'to';
  return [{ code: 'unreachable-level', path, message: `a share of samples never gets ${way} ${formatQuantity(threshold.value, 'ratio')}` }];
}

/** A value may be bad when it is high or when it is low, but all its levels lie on one side. */
function orderMistakes(path: readonly string[], levels: readonly Level[]): FieldMistake[] {
  return levels.slice(1).flatMap(({ level, threshold }, index): FieldMistake[] => {
    const milder = levels[index];
    if (milder === undefined) return [];
    const falling = isFalling(threshold);
    const both = `${level} (${threshold.text}) and ${milder.level} (${milder.threshold.text})`;
    if (falling !== isFalling(milder.threshold))
      return [{ code: 'level-order', path: [...path, level], message: `${both} point in different directions` }];
    if (falling ? milder.threshold.value >= threshold.value : milder.threshold.value <= threshold.value) return [];
    const message = `${level} (${threshold.text}) would be reached before ${milder.level} (${milder.threshold.text})`;
    return [{ code: 'level-order', path: [...path, level], message }];
  });
}

function isFalling({ operator }: Comparison): boolean {
  return operator.startsWith('<');
}
