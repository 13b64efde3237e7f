/** Finite differences beside the stated gradient, token by token, the worst first. */
import { useState } from 'react';
import type { GradientCheck } from '../../store/inspection.ts';
import { countWords, formatSetting } from '../format.ts';
import { sayGradient, sayToken, VERDICT_WORDS } from './gradient_words.ts';

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
              <th scope="col">token</th>
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
