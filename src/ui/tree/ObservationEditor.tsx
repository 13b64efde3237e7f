/** The tool result that opens a turn, to be written anew in words of the environment. */
import { useId, useRef, useState, type FormEvent } from 'react';
import { completions, observationOf, parseObservation } from '../../store/interventions.ts';
import { LabError, type ErrorReport, type TokenId, type TurnNode } from '../../units.ts';
import { useVocabulary } from '../binding.ts';
import { nodeName } from './encodings.ts';
import { wordsOf } from './hand_words.ts';

interface ObservationEditorProps {
  readonly node: TurnNode;
  readonly disabled: boolean;
  readonly onSend: (observation: readonly TokenId[]) => void;
  readonly onClose: () => void;
}

export function ObservationEditor({ node, disabled, onSend, onClose }: ObservationEditorProps) {
  const vocabulary = useVocabulary();
  const before = wordsOf(observationOf(node), vocabulary);
  const [text, setText] = useState(before);
  const [problem, setProblem] = useState<ErrorReport | null>(null);
  const field = useRef<HTMLTextAreaElement>(null);
  const id = useId();
  const write = (next: string): void => {
    setText(next);
    setProblem(null);
  };
  const complete = (word: string): void => {
    write(text.replace(/\S+$/, `${word} `));
    field.current?.focus();
  };
  const send = (event: FormEvent): void => {
    event.preventDefault();
    try {
      onSend(parseObservation(text, vocabulary));
    } catch (error) {
      if (!(error instanceof LabError)) throw error;
      setProblem(error.report);
    }
  };
  return (
    <form className="observation-editor" onSubmit={send}>
      <label htmlFor={id} className="small">
        Observation before {nodeName(node.id)}, as the policy is to read it
      </label>
      <textarea
        id={id}
        ref={field}
        rows={2}
        spellCheck={false}
        autoCapitalize="off"
        value={text}
        aria-invalid={problem !== null}
        aria-describedby={`${id}-problem`}
        onChange={(event) => write(event.target.value)}
      />
      <div className="bar" role="group" aria-label="Completions">
        {completions(text, vocabulary).map((word) => (
          <button key={word} type="button" className="small" onClick={() => complete(word)}>
            {word}
          </button>
        ))}
      </div>
      <p id={`${id}-problem`} className="small" role="alert">
        {problem && `${problem.what} (${problem.where}). ${problem.next}`}
      </p>
      <div className="bar">
        <button type="submit" disabled={disabled || text.trim() === before}>
          Continue from the edited observation
        </button>
        <button type="button" className="quiet" onClick={onClose}>
          Close
        </button>
      </div>
      <p className="small soft">
        The policy reads these words in place of the tool’s. The world itself stays as it was: later calls are
        answered as after the tool’s own result.
      </p>
    </form>
  );
}
