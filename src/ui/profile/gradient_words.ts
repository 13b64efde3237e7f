/** What a gradient check found, in words. */
import type { CheckedToken, GradientCheck, TokenVerdict } from '../../store/inspection.ts';
import { formatCount } from '../format.ts';
import { nodeName } from '../tree/encodings.ts';

export const VERDICT_WORDS: Readonly<Record<TokenVerdict, string>> = {
  agrees: '✓ agrees',
  differs: '✕ differs',
  'not-finite': '✕ not a number',
  edge: 'left out: an edge of the loss',
  jump: 'left out: the loss jumps',
  'by-rule': 'left out: a soft edge',
};

/** Why tokens of this verdict are left out; '' where they are not. */
const REASONS: Readonly<Record<TokenVerdict, string>> = {
  agrees: '',
  differs: '',
  'not-finite': '',
  edge: 'stand where the slope of the loss changes within the smallest step (a clip edge), so it has no derivative',
  jump: 'stand where the loss itself jumps, so it has no derivative',
  'by-rule':
    'stand beyond a soft edge, where the method’s gradient is by rule that of the edge and the loss is flat',
};

export const failures = ({ counts }: GradientCheck): number => counts.differs + counts['not-finite'];

const tokens = (count: number): string => `${formatCount(count)} ${count === 1 ? 'token' : 'tokens'}`;

/** One sentence per thing to say. */
export function sayGradient(check: GradientCheck): readonly string[] {
  const { counts, tokens: list } = check;
  const failed = failures(check);
  const judged = failed + counts.agrees;
  const head =
    failed === 0
      ? `✓ The gradient of all ${tokens(judged)} is that of the loss.`
      : `✕ The gradient of ${formatCount(failed)} of ${tokens(judged)} is not that of the loss.`;
  const leftOut = (['edge', 'jump', 'by-rule'] as const)
    .filter((verdict) => counts[verdict] > 0)
    .map((verdict) => `${tokens(counts[verdict])} left out: they ${REASONS[verdict]}.`);
  return [list.length === 0 ? 'No token was there to check.' : head, ...leftOut];
}

export const sayToken = ({ prompt, leaf, place }: CheckedToken): string =>
  prompt === null || leaf === null
    ? `token ${place + 1}`
    : `prompt ${prompt + 1}, row of ${nodeName(leaf)}, token ${place + 1}`;
