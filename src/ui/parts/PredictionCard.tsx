/** A question that is answered before the lab shows it: a number, a sign, an order, a choice. Then the guess beside the truth. */
import { useEffect, useId, useRef, useState, type FormEvent, type ReactNode } from 'react';
import { isRight, signOf, trueOrder, type Guess, type Question } from '../../store/lesson/prediction.ts';
import { useLab, useSelection } from './binding.ts';
import { Hands, typedNumber, type HandsOption } from './Hands.tsx';
import './prediction.css';

interface PredictionCardProps {
  readonly ask: ReactNode;
  readonly question: Question;
  readonly format: (value: number) => string; // of a number that is asked for
  readonly because?: ReactNode | ((guess: Guess | null) => ReactNode); // said with the answer
  readonly revealed: boolean;
  readonly showsItself?: boolean; // where the page has no other way to the answer without a guess; default yes
  /** The guess, null where the person wants to see the answer without one. */
  readonly onReveal: (guess: Guess | null) => void;
}

const SIGNS = [
  { value: 1, words: '▲ above zero' },
  { value: 0, words: '0, exactly' },
  { value: -1, words: '▼ below zero' },
] as const;

const signWords = (value: number): string =>
  SIGNS.find((sign) => sign.value === signOf(value))?.words ?? String(value);

/** A guess or a truth in words. */
function wordsOf(question: Question, guess: Guess, format: (value: number) => string): string {
  switch (question.kind) {
    case 'number':
      return format(guess as number);
    case 'sign':
      return signWords(guess as number);
    case 'ranking':
      return (guess as readonly number[]).map((place) => question.items[place].label).join(' > ');
    case 'choice':
      return question.options[guess as number];
  }
}

const truthOf = (question: Question): Guess =>
  question.kind === 'ranking'
    ? trueOrder(question.items)
    : question.kind === 'choice'
      ? question.right
      : question.truth;

/** The truth in words; of an order with its numbers, where equals show as equals. */
export function truthWords(question: Question, format: (value: number) => string): string {
  if (question.kind !== 'ranking') return wordsOf(question, truthOf(question), format);
  return trueOrder(question.items)
    .map((place) => `${question.items[place].label} (${format(question.items[place].truth)})`)
    .join(', ');
}

/** What hands are raised for; of an order, for what comes first. A number is whatever somebody says: it has none. */
export function handsOptions(question: Question): readonly HandsOption[] {
  switch (question.kind) {
    case 'number':
      return [];
    case 'sign':
      return SIGNS.map(({ value, words }) => ({ words, right: isRight(question, value) }));
    case 'choice':
      return question.options.map((words, at) => ({ words, right: at === question.right }));
    case 'ranking': {
      const [first] = trueOrder(question.items);
      const most = question.items[first].truth;
      return question.items.map(({ label, truth }) => ({
        words: `first: ${label}`,
        right: signOf(truth - most) === 0,
      }));
    }
  }
}

function NumberField({ onGuess }: { readonly onGuess: (guess: Guess) => void }) {
  const [text, setText] = useState('');
  const value = typedNumber(text);
  const isNumber = Number.isFinite(value);
  return (
    <div className="bar">
      <input
        type="text"
        inputMode="decimal"
        className="number"
        aria-label="Your guess, a number"
        value={text}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={(event) => {
          if (event.key !== 'Enter' || !isNumber) return;
          event.preventDefault();
          onGuess(value);
        }}
      />
      <button type="button" className="primary" disabled={!isNumber} onClick={() => onGuess(value)}>
        Answer
      </button>
    </div>
  );
}

function Buttons({
  options,
  onGuess,
}: {
  readonly options: readonly { readonly value: number; readonly words: string }[];
  readonly onGuess: (guess: Guess) => void;
}) {
  return (
    <div className="bar prediction-options">
      {options.map(({ value, words }) => (
        <button key={value} type="button" onClick={() => onGuess(value)}>
          {words}
        </button>
      ))}
    </div>
  );
}

function Order({
  labels,
  onGuess,
}: {
  readonly labels: readonly string[];
  readonly onGuess: (guess: Guess) => void;
}) {
  const [order, setOrder] = useState(() => labels.map((_, place) => place));
  const move = (at: number, by: -1 | 1): void => {
    const next = [...order];
    [next[at], next[at + by]] = [next[at + by], next[at]];
    setOrder(next);
  };
  return (
    <>
      <ol className="prediction-order" aria-label="Your order, greatest first">
        {order.map((place, at) => (
          <li key={place}>
            <span>{labels[place]}</span>
            <button
              type="button"
              aria-label={`${labels[place]} up`}
              disabled={at === 0}
              onClick={() => move(at, -1)}
            >
              ↑
            </button>
            <button
              type="button"
              aria-label={`${labels[place]} down`}
              disabled={at === order.length - 1}
              onClick={() => move(at, 1)}
            >
              ↓
            </button>
          </li>
        ))}
      </ol>
      <button type="button" className="primary" onClick={() => onGuess(order)}>
        Answer
      </button>
    </>
  );
}

function Answer({
  question,
  onGuess,
}: {
  readonly question: Question;
  readonly onGuess: (guess: Guess) => void;
}) {
  switch (question.kind) {
    case 'number':
      return <NumberField onGuess={onGuess} />;
    case 'sign':
      return <Buttons options={SIGNS} onGuess={onGuess} />;
    case 'ranking':
      return <Order labels={question.items.map(({ label }) => label)} onGuess={onGuess} />;
    case 'choice':
      return (
        <Buttons options={question.options.map((words, value) => ({ words, value }))} onGuess={onGuess} />
      );
  }
}

interface AskingProps {
  readonly question: Question;
  readonly byHands: boolean;
  readonly showsItself: boolean;
  readonly onGuess: (guess: Guess | null) => void;
}

/** How the answer is given: by one person, or by a class. */
function Asking({ question, byHands, showsItself, onGuess }: AskingProps) {
  const { selection } = useLab();
  return (
    <>
      {!byHands && <Answer question={question} onGuess={onGuess} />}
      <div className="bar">
        {(byHands || showsItself) && (
          <button type="button" className={byHands ? 'primary' : 'quiet small'} onClick={() => onGuess(null)}>
            {byHands ? 'Reveal' : 'Show me'}
          </button>
        )}
        <button type="button" className="quiet small" onClick={() => selection.select({ hands: !byHands })}>
          {byHands ? 'Answer alone' : 'Ask a class'}
        </button>
      </div>
    </>
  );
}

/** Give it a key that changes with the question: a guess belongs to one. */
export function PredictionCard({
  ask,
  question,
  format,
  because,
  revealed,
  showsItself = true,
  onReveal,
}: PredictionCardProps) {
  const title = useId();
  const byHands = useSelection((selection) => selection.hands);
  const result = useRef<HTMLDivElement>(null);
  const [guess, setGuess] = useState<Guess | null>(null);
  const answered = useRef(false); // here, by this person: the focus goes on to the answer
  useEffect(() => {
    if (revealed && answered.current) result.current?.focus({ preventScroll: true });
  }, [revealed]);
  const give = (given: Guess | null): void => {
    answered.current = true;
    setGuess(given);
    onReveal(given);
  };
  const right = guess !== null && isRight(question, guess);
  return (
    <form
      className="prediction"
      aria-labelledby={title}
      onSubmit={(event: FormEvent) => event.preventDefault()}
    >
      <div id={title}>{ask}</div>
      {byHands && (
        <Hands
          options={handsOptions(question)}
          format={format}
          isRight={question.kind === 'number' ? (value) => isRight(question, value) : null}
          revealed={revealed}
        />
      )}
      {revealed ? (
        <div ref={result} tabIndex={-1} role="status" className="prediction-answer">
          {guess !== null && (
            <p>
              <span className="soft">Your guess:</span> <strong>{wordsOf(question, guess, format)}</strong>{' '}
              <span data-right={right}>{right ? '✓ right' : '✕ not quite'}</span>
            </p>
          )}
          <p>
            <span className="soft">The lab:</span>{' '}
            <strong className="number">{truthWords(question, format)}</strong>
          </p>
          {because !== undefined && (typeof because === 'function' ? because(guess) : <p>{because}</p>)}
        </div>
      ) : (
        <Asking question={question} byHands={byHands} showsItself={showsItself} onGuess={give} />
      )}
    </form>
  );
}
