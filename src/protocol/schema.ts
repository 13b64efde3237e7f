import * as v from 'valibot';
import { quote, shorten, type ErrorReport } from '../units.ts';

export { quote } from '../units.ts';

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

const LEAST_FLOAT32 = 2 ** -126; // below it devices may take a number for 0

const heldByFloat32 = wanted(
  (value: number) => value === 0 || Math.abs(value) >= LEAST_FLOAT32,
  '0, or a number that float32 holds: at least 1.2e-38 in size',
);

/** A finite number in [min, max] that a device can hold: kernels compute in float32. */
export function real(min: number, max: number) {
  const text = `a number from ${min} to ${max}`;
  return v.pipe(
    v.number(text),
    wanted((value) => value >= min && value <= max, text),
    heldByFloat32,
  );
}

/** 0, which turns something off, or a number in [min, max]: what lies between would have no effect in float32. */
export function zeroOr(min: number, max: number) {
  const text = `0, or a number from ${min} to ${max}`;
  return v.pipe(
    v.number(text),
    wanted((value) => value === 0 || (value >= min && value <= max), text),
  );
}

const valueAt = (root: unknown, path: readonly string[]): unknown =>
  path.reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], root);

const saidOf = ({ expected, message }: v.BaseIssue<unknown>): string =>
  expected === 'Object' ? 'a group of named values' : (expected ?? message);

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
    where: [report.root, ...path.map((key) => shorten(key))].join('.'),
    got: isUnknownKey ? 'a setting of this name' : quote(valueAt(value, path)),
    wanted: isUnknownKey
      ? 'only settings that exist'
      : issue.message.startsWith('Invalid')
        ? saidOf(issue)
        : issue.message,
    next: report.next,
  };
}
