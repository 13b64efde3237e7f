/** Finite differences beside the stated gradient, token by token, the worst first. */
import { useState } from 'react';
import type { CheckedToken, GradientCheck, TokenVerdict } from '../../store/ask/inspection.ts';
import { nodeName } from '../drawing/encodings.ts';
import { countWords, formatCount, formatSetting } from '../parts/format.ts';
import { Label } from '../parts/Term.tsx';

// What a gradient check found, in words.

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

const SHOWN = 8;
const MOST = 500; // rows that a page draws at once

const TITLES: Readonly<Record<GradientCheck['of'], string>> = {
  formula: 'The formula in float64',
  kernel: 'The kernel on this device',
};

export function GradientTable({ check }: { readonly check: GradientCheck }) {
  const [all, setAll] = useState(false);
  const title = check.title === '' ? TITLES[check.of] : `Case: ${check.title}`;
  const rows = check.tokens.slice(0, all ? MOST : SHOWN);
  return (
    <section className="gradient-check" aria-label={`Gradient check, ${title}`}>
      <h3>{title}</h3>
      {sayGradient(check).map((sentence) => (
        <p key={sentence} className="small">
          {sentence}
        </p>
      ))}
      {rows.length > 0 && (
        <table>
          <thead>
            <tr>
              <th scope="col">
                <Label>token</Label>
              </th>
              <th scope="col">by differences</th>
              <th scope="col">as stated</th>
              <th scope="col">apart</th>
              <th scope="col">allowed</th>
              <th scope="col">step, nats</th>
              <th scope="col">verdict</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((token) => (
              <tr key={sayToken(token)} data-verdict={token.verdict}>
                <th scope="row">{sayToken(token)}</th>
                <td className="number">{formatSetting(token.numeric, 5)}</td>
                <td className="number">{formatSetting(token.stated, 5)}</td>
                <td className="number">{formatSetting(Math.abs(token.numeric - token.stated), 2)}</td>
                <td className="number">{formatSetting(token.allowed, 2)}</td>
                <td className="number">{formatSetting(token.step, 2)}</td>
                <td>{VERDICT_WORDS[token.verdict]}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {!all && check.tokens.length > SHOWN && (
        <button type="button" className="small" onClick={() => setAll(true)}>
          {check.tokens.length > MOST
            ? `The worst ${MOST} of ${countWords(check.tokens.length, 'token')}`
            : `All ${countWords(check.tokens.length, 'token')}`}
        </button>
      )}
    </section>
  );
}
