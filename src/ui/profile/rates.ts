/** Rates and bytes as people read them. */
import type { Rate } from '../../store/profile_reading.ts';
import { formatNumber, formatShare } from '../format.ts';

const PREFIXES = ['', 'k', 'M', 'G', 'T', 'P'];
const NOTHING = '–';

/** 1234567 → "1.23 M". */
function scaled(value: number, base = 1000): string {
  const power = value <= 0 ? 0 : Math.floor(Math.log(value) / Math.log(base));
  const place = Math.max(0, Math.min(PREFIXES.length - 1, power));
  const short = value / base ** place;
  return `${formatNumber(short, short < 10 ? 2 : short < 100 ? 1 : 0)} ${PREFIXES[place]}`;
}

/** "≥ 1.23 GFLOP/s"; "none" for a kernel that only moves; a dash where nothing is known. */
export function formatRate(rate: Rate | null, unit: string): string {
  if (!rate) return NOTHING;
  if (rate.perSecond === 0 && !rate.atLeast) return 'none';
  return `${rate.atLeast ? '≥ ' : ''}${scaled(rate.perSecond)}${unit}`;
}

/** Share of a ceiling: "12 %", "≥ 12 %"; '' for none. */
export function formatTimes(rate: Rate | null, ceiling: number): string {
  if (!rate || ceiling <= 0) return NOTHING;
  if (rate.perSecond === 0 && !rate.atLeast) return '';
  const share = rate.perSecond / ceiling;
  return `${rate.atLeast ? '≥ ' : ''}${formatShare(share, share < 0.1 ? 1 : 0)}`;
}

/** 212_000_000 → "212 MB" (powers of 1000). */
export const formatBytes = (bytes: number): string => `${scaled(bytes)}B`;
