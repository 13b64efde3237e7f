import * as v from 'valibot';
import type { ErrorReport } from '../units.ts';

const LONGEST = 80; // characters of a value quoted in an error

/** A value as an error quotes it. */
export function quote(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value instanceof ArrayBuffer) return `${value.byteLength} bytes`;
  if (typeof value === 'number') return String(value); // JSON has no NaN
  const text = JSON.stringify(value) ?? typeof value;
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}

/** An action whose message is what was wanted; the reports below rely on it. */
export const wanted = <Input>(requirement: (input: Input) => boolean, text: string) =>
  v.check(requirement, text);

export const whole = (min: number, max: number) =>
  v.pipe(
    v.number(`a whole number from ${min} to ${max}`),
    wanted(
      (value) => Number.isSafeInteger(value) && value >= min && value <= max,
      `a whole number from ${min} to ${max}`,
    ),
  );

/** A finite number in [min, max], or above min where `open`. */
export const real = (min: number, max: number, open = false) => {
  const text = open ? `a number above ${min}, at most ${max}` : `a number from ${min} to ${max}`;
  return v.pipe(
    v.number(text),
    wanted((value) => (open ? value > min : value >= min) && value <= max, text),
  );
};

const valueAt = (root: unknown, path: readonly string[]): unknown =>
  path.reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], root);

/**
 * The first issue as a report.
 * @param root name of the checked value, first word of the report's `where`
 */
export function issueReport(
  [issue]: readonly [v.BaseIssue<unknown>, ...v.BaseIssue<unknown>[]],
  value: unknown,
  report: { readonly what: string; readonly root: string; readonly next: string },
): ErrorReport {
  const path = (issue.path ?? []).map((item) => String(item.key));
  const isUnknownKey = issue.type === 'strict_object' && issue.expected === 'never';
  return {
    what: report.what,
    where: [report.root, ...path].join('.'),
    got: isUnknownKey ? 'a setting of this name' : quote(valueAt(value, path)),
    wanted: isUnknownKey
      ? 'only settings that exist'
      : issue.message.startsWith('Invalid')
        ? (issue.expected ?? issue.message)
        : issue.message,
    next: report.next,
  };
}
