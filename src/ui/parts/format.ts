/** Numbers as people read them: one minus sign (U+2212), fixed digits, a dash for what is not there. */

export { capital, countWords, plural } from '../../units.ts';

const MINUS = '−';
const NOTHING = '–';

const withMinus = (text: string): string => text.replaceAll('-', MINUS);
const isZero = (text: string): boolean => Number(text) === 0;

/** 0.5 → "0.50"; −0.001 → "0.00". */
export function formatNumber(value: number | null | undefined, digits = 2): string {
  if (value === null || value === undefined) return NOTHING;
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'not a number' : value > 0 ? '∞' : `${MINUS}∞`;
  const text = value.toFixed(digits);
  return isZero(text) ? (0).toFixed(digits) : withMinus(text);
}

/** 0.5 → "+0.50"; −0.5 → "−0.50"; 0 → "0.00". */
export function formatSigned(value: number | null | undefined, digits = 2): string {
  const text = formatNumber(value, digits);
  return value != null && Number.isFinite(value) && value > 0 && !isZero(text) ? `+${text}` : text;
}

/** What a bar or a colour beside a printed number shows: nothing where the number reads as zero. */
export const asPrinted = (value: number, digits = 2): number => (isZero(value.toFixed(digits)) ? 0 : value);

/** Signed credit with the glyph that carries its sign without colour: "▲ +0.50", "▼ −0.50". */
export function formatCredit(value: number | null | undefined, digits = 2): string {
  const text = formatSigned(value, digits);
  return `${creditGlyph(value, digits)} ${text}`.trim();
}

/** Least and greatest of several numbers, one number where they read the same: "−0.66…+0.31". */
export function formatRange(range: readonly [number, number] | null | undefined, digits = 2): string {
  if (!range) return NOTHING;
  const [least, greatest] = range.map((value) => formatSigned(value, digits));
  return least === greatest ? least : `${least}…${greatest}`;
}

/** The same with the glyph of their sign, ± where they have both. */
export const formatCreditRange = (range: readonly [number, number] | null | undefined, digits = 2): string =>
  `${rangeGlyph(range, digits)} ${formatRange(range, digits)}`.trim();

/** The glyph of the numbers' common sign; ± where some are above zero and some below. */
export function rangeGlyph(
  range: readonly [number, number] | null | undefined,
  digits = 2,
): '▲' | '▼' | '±' | '' {
  if (!range) return '';
  const [least, greatest] = range.map((value) => creditGlyph(value, digits));
  if (least === '▼' && greatest === '▲') return '±';
  return least || greatest;
}

/** ▲ above zero, ▼ below, '' at what prints as zero or is not there. */
export function creditGlyph(value: number | null | undefined, digits = 2): '▲' | '▼' | '' {
  if (value == null || Number.isNaN(value) || isZero(value.toFixed(digits))) return '';
  return value > 0 ? '▲' : '▼';
}

/** Entropies, log-probabilities, log-ratios. */
export const formatNats = (value: number | null | undefined, digits = 2): string =>
  value == null ? NOTHING : `${formatNumber(value, digits)} nats`;

/** Importance ratios live close to 1. */
export const formatRatio = (value: number | null | undefined): string => formatNumber(value, 4);

/** [0, 1] → "61 %". */
export const formatShare = (value: number | null | undefined, digits = 0): string =>
  value == null ? NOTHING : `${formatNumber(value * 100, digits)} %`;

/** Up to `digits` significant ones, for learning rates, clips and other settings: 0.0005 → "5e−4". */
export function formatSetting(value: number, digits = 4): string {
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e6))
    return withMinus(Number(value.toPrecision(digits)).toExponential());
  return withMinus(String(Number(value.toPrecision(digits))));
}

export const formatCount = (value: number): string => value.toLocaleString('en-US');

/** 950 → "950 ms"; 1500 → "1.5 s"; 125000 → "2 min 5 s". */
export function formatMs(value: number): string {
  if (value < 1000) return `${Math.round(value)} ms`;
  if (value < 60_000) return `${(value / 1000).toFixed(1)} s`;
  return `${Math.floor(value / 60_000)} min ${Math.round((value % 60_000) / 1000)} s`;
}

// Token texts as people read them.

const TAG = /^<\/?[a-z]+>$/;

/** Joins words without tags, closing up before apostrophes and marks: "Yara's mother's father?" */
export function sentence(words: readonly string[], joiner = ' '): string {
  return words
    .filter((word) => !TAG.test(word))
    .join(joiner)
    .replace(/ (['’?.,;!])/g, '$1')
    .trim();
}
