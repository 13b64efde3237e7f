/** A question with its answer, and ways from it to the turns that it is about. */
import type { ReactNode } from 'react';
import { firstOf, type TurnPlace } from '../../store/questions/questions.ts';
import type { NodeId } from '../../units.ts';
import { useLab } from '../parts/binding.ts';
import { formatCount } from '../parts/format.ts';

interface QuestionProps {
  readonly title: string;
  readonly answer: string;
  readonly children?: ReactNode;
}

export function Question({ title, answer, children }: QuestionProps) {
  return (
    <section className="panel question-panel" aria-label={title}>
      <h3>{title}</h3>
      <p className="answer-words">{answer}</p>
      {children}
    </section>
  );
}

/** Leads to a turn; where the questions stand in a dialog, that is closed. */
export function ToTurn(props: {
  readonly prompt: number;
  readonly leaf: NodeId;
  readonly node?: NodeId;
  readonly children: ReactNode;
}) {
  const { selection } = useLab();
  const { prompt, leaf, node = leaf, children } = props;
  return (
    <button
      type="button"
      className="quiet link"
      onClick={({ currentTarget }) => {
        currentTarget.closest('dialog')?.close();
        selection.select({ view: 'tree', prompt, leaf, node });
      }}
    >
      {children}
    </button>
  );
}

export function Turns({ turns }: { readonly turns: readonly TurnPlace[] }) {
  const shown = firstOf(turns);
  return (
    <span className="places small">
      {shown.map(({ rollout: { prompt, leaf, place }, turn: { node, index } }, at) => (
        <ToTurn key={at} {...{ prompt, leaf, node }}>
          {place}, turn {index + 1}
        </ToTurn>
      ))}
      {turns.length > shown.length && `and ${formatCount(turns.length - shown.length)} more`}
    </span>
  );
}
