/** How far sampler and trainer lie apart, by turn and by position, and what a correction at a threshold would change. */
import { useMemo, useState } from 'react';
import {
  corrected,
  CORRECTIONS,
  firstOf,
  type Answers,
  type Correction,
  type Mismatch,
  type Spread,
} from '../../store/questions/questions.ts';
import { histogram } from '../../store/loss/batch_reading.ts';
import { Histogram } from '../loss/SpreadPanel.tsx';
import { formatCount, formatNumber, formatSigned } from '../parts/format.ts';
import { Question, ToTurn } from './parts.tsx';
import { CORRECTION_WORDS, correctionWords, mismatchWords } from './words.ts';

const BINS = 41; // odd: one bin holds 0
const DIGITS = 4;

function SpreadRow({ name, spread }: { readonly name: string; readonly spread: Spread }) {
  const [, low, , median, , high] = spread.quantiles;
  return (
    <tr>
      <th scope="row">{name}</th>
      <td>{formatCount(spread.tokens)}</td>
      <td>{formatSigned(spread.mean, DIGITS)}</td>
      <td>{formatNumber(spread.meanSize, DIGITS)}</td>
      <td>{formatSigned(low, DIGITS)}</td>
      <td>{formatSigned(median, DIGITS)}</td>
      <td>{formatSigned(high, DIGITS)}</td>
    </tr>
  );
}

const MOST_TURNS = 20;

function SpreadTable({ mismatch: { all, byTurn, byPosition } }: { readonly mismatch: Mismatch }) {
  return (
    <div className="wide-table" tabIndex={0} role="region" aria-label="Trainer less sampler, in nats">
      <table className="small number">
        <thead>
          <tr>
            <th scope="col">Δ, nats</th>
            <th scope="col">tokens</th>
            <th scope="col">mean</th>
            <th scope="col">mean |Δ|</th>
            <th scope="col">1 %</th>
            <th scope="col">median</th>
            <th scope="col">99 %</th>
          </tr>
        </thead>
        <tbody>
          <SpreadRow name="all" spread={all} />
          {byTurn.slice(0, MOST_TURNS).map((spread) => (
            <SpreadRow key={spread.turn} name={`turn ${spread.turn + 1}`} spread={spread} />
          ))}
          {byPosition.map((spread) => (
            <SpreadRow
              key={spread.position}
              name={
                { first: 'first token of a turn', inner: 'inner tokens', last: 'last token of a turn' }[
                  spread.position
                ]
              }
              spread={spread}
            />
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** Ratios near 1 differ in their fourth digit, so thresholds are asked for as finely. */
function CorrectionQuestion({ mismatch }: { readonly mismatch: Mismatch }) {
  const [rule, setRule] = useState<Correction>('truncate-token');
  const [text, setText] = useState('2');
  const threshold = Number(text);
  const isValid = Number.isFinite(threshold) && threshold >= 1;
  const found = useMemo(
    () => (isValid ? corrected(mismatch, rule, threshold) : null),
    [mismatch, rule, threshold, isValid],
  );
  const { key } = CORRECTION_WORDS[rule];
  return (
    <>
      <div className="bar small">
        <label>
          Correction{' '}
          <select value={rule} onChange={({ target }) => setRule(target.value as Correction)}>
            {CORRECTIONS.map((each) => (
              <option key={each} value={each}>
                {CORRECTION_WORDS[each].title}
              </option>
            ))}
          </select>
        </label>
        <label>
          Threshold C{' '}
          <input
            type="number"
            min={1}
            step="any"
            value={text}
            aria-invalid={!isValid}
            onChange={({ target }) => setText(target.value)}
          />
        </label>
        <code>{key}</code>
      </div>
      <p role="status">
        {found
          ? correctionWords(rule, threshold, found)
          : 'A threshold is a number of at least 1: ratios above it are cut; rejection also drops those below 1/C.'}
      </p>
      {found && found.touchedSequences.length > 0 && (
        <p className="places small">
          {firstOf(found.touchedSequences).map(({ prompt, leaf, place }) => (
            <ToTurn key={`${prompt} ${leaf}`} {...{ prompt, leaf }}>
              {place}
            </ToTurn>
          ))}
        </p>
      )}
    </>
  );
}

export function MismatchQuestion({ answers }: { readonly answers: Answers }) {
  const { mismatch } = answers;
  const bins = useMemo(() => {
    if (!mismatch) return null;
    const { differences, all } = mismatch;
    const reach = Math.max(Math.abs(all.quantiles[0]), Math.abs(all.quantiles[all.quantiles.length - 1])) || 1e-6; // prettier-ignore
    return histogram([...differences], -reach, reach, BINS);
  }, [mismatch]);
  return (
    <Question title="Do sampler and trainer agree?" answer={mismatchWords(answers)}>
      {mismatch && bins && (
        <>
          <Histogram
            title="Trainer less sampler"
            sentence="log-probability of each token, nats"
            bins={bins}
            middle={0}
            format={(value) => formatSigned(value, DIGITS)}
          />
          <SpreadTable mismatch={mismatch} />
          <CorrectionQuestion mismatch={mismatch} />
        </>
      )}
    </Question>
  );
}
