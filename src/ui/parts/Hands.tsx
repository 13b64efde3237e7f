/** A class answers by raising hands: the lecturer types how many, and the split stands beside the truth. No network. */
import { useState } from 'react';
import { countWords, formatShare } from './format.ts';

export interface HandsOption {
  readonly words: string;
  readonly right: boolean; // not said before the answer
}

interface HandsProps {
  readonly options: readonly HandsOption[];
  /** Of a number that somebody says; null where there are only the options. */
  readonly isRight: ((value: number) => boolean) | null;
  readonly format: (value: number) => string;
  readonly revealed: boolean;
}

/** What was typed; NaN where it is no number. */
export const typedNumber = (text: string): number =>
  text.trim() === '' ? NaN : Number(text.trim().replace('−', '-').replace(',', '.'));

function Saying({ onSay }: { readonly onSay: (value: number) => void }) {
  const [text, setText] = useState('');
  const value = typedNumber(text);
  const say = (): void => {
    if (!Number.isFinite(value)) return;
    onSay(value);
    setText('');
  };
  return (
    <div className="bar">
      <label>
        a number that somebody says{' '}
        <input
          type="text"
          inputMode="decimal"
          className="number"
          value={text}
          onChange={(event) => setText(event.target.value)}
          onKeyDown={(event) => {
            if (event.key !== 'Enter') return;
            event.preventDefault();
            say();
          }}
        />
      </label>
      <button type="button" disabled={!Number.isFinite(value)} onClick={say}>
        Add
      </button>
    </div>
  );
}

interface LineProps {
  readonly option: HandsOption;
  readonly hands: number;
  readonly total: number;
  readonly revealed: boolean;
  readonly onCount: (hands: number) => void;
}

function Line({ option, hands, total, revealed, onCount }: LineProps) {
  const { words, right } = option;
  if (!revealed)
    return (
      <tr>
        <th scope="row">{words}</th>
        <td>
          <input
            type="number"
            min={0}
            max={9999}
            aria-label={`Hands for ${words}`}
            value={hands === 0 ? '' : hands}
            onChange={({ target }) => onCount(Math.max(0, Math.floor(target.valueAsNumber) || 0))}
          />
        </td>
      </tr>
    );
  const share = total === 0 ? 0 : hands / total;
  return (
    <tr data-right={right}>
      <th scope="row">
        {words}
        {right && ' ✓'}
      </th>
      <td className="number">{countWords(hands, 'hand')}</td>
      <td className="hands-bar" aria-hidden="true">
        <span style={{ width: `${100 * share}%` }} />
      </td>
      <td className="number">{total === 0 ? '' : formatShare(share)}</td>
    </tr>
  );
}

/** Its counts belong to one question, as a guess does. */
export function Hands({ options, isRight, format, revealed }: HandsProps) {
  const [said, setSaid] = useState<readonly number[]>([]);
  const [counts, setCounts] = useState<Readonly<Record<number, number>>>({}); // by place
  const shown = isRight ? said.map((value) => ({ words: format(value), right: isRight(value) })) : options;
  const handsOf = (at: number): number => counts[at] ?? 0;
  const total = shown.reduce((sum, _, at) => sum + handsOf(at), 0);
  const rightHands = shown.reduce((sum, { right }, at) => sum + (right ? handsOf(at) : 0), 0);
  return (
    <>
      {shown.length > 0 && !(revealed && total === 0) && (
        <table className="hands">
          <caption className="visually-hidden">Hands of the class</caption>
          <tbody>
            {shown.map((option, at) => (
              <Line
                key={at}
                option={option}
                hands={handsOf(at)}
                total={total}
                revealed={revealed}
                onCount={(hands) => setCounts({ ...counts, [at]: hands })}
              />
            ))}
          </tbody>
        </table>
      )}
      {!revealed && isRight && <Saying onSay={(value) => setSaid([...said, value])} />}
      {revealed && total > 0 && (
        <p>
          {rightHands} of {countWords(total, 'hand')} {rightHands === 1 ? 'is' : 'are'} right.
        </p>
      )}
    </>
  );
}
