/** What users ask of their rollouts, answered for the update on screen: a sentence each with its numbers, the sum, and the turns that it is about. */
import { useEffect, useMemo, useRef } from 'react';
import {
  answersOf,
  firstOf,
  toolUseOf,
  type Answers,
  type Drift,
  type GroupSilence,
} from '../../store/questions/questions.ts';
import { useLab, useRun, useSelection, useUpdate } from '../parts/binding.ts';
import { countWords } from '../parts/format.ts';
import { Fact } from '../parts/parts.tsx';
import { Question, ToTurn, Turns } from './parts.tsx';
import { MismatchQuestion } from './MismatchQuestion.tsx';
import { ToolUseQuestion, TurnRewardQuestion } from './TurnQuestions.tsx';
import * as words from './words.ts';
import './questions.css';

// Why is nothing learnt?

const GROUP_KINDS: Readonly<Record<GroupSilence['kind'], string>> = {
  live: 'rewards differ',
  dead: 'dead: all earned the same',
  alone: 'one rollout: nothing to compare with',
  unscored: 'a reward is unknown',
  dropped: 'dropped by a filter',
};

function GroupTable({ groups }: { readonly groups: readonly GroupSilence[] }) {
  const { selection } = useLab();
  const selected = useSelection(({ prompt }) => prompt);
  const shown = groups.find(({ prompt }) => prompt === selected) ?? groups[0];
  return (
    <>
      <label className="small">
        Sum of group{' '}
        <select
          value={shown.prompt}
          onChange={({ target }) => selection.select({ prompt: Number(target.value) })}
        >
          {groups.map(({ prompt, kind }) => (
            <option key={prompt} value={prompt}>
              {prompt + 1}: {GROUP_KINDS[kind]}
            </option>
          ))}
        </select>
      </label>
      <ol className="sum number small" aria-label={`Sum of group ${shown.prompt + 1}`}>
        {words.groupSum(shown).map((line) => (
          <li key={line}>{line}</li>
        ))}
      </ol>
      <p className="places small">
        {firstOf(shown.rollouts).map(({ prompt, leaf, place, reward }) => (
          <ToTurn key={leaf} {...{ prompt, leaf }}>
            {place} {reward === null ? '' : `(${reward})`}
          </ToTurn>
        ))}
      </p>
    </>
  );
}

function LearningQuestion({ answers }: { readonly answers: Answers }) {
  return (
    <Question title="Why is my loss 0? Is anything learnt?" answer={words.learningWords(answers)}>
      <dl className="facts">
        {words.silenceFacts(answers).map(([name, value]) => (
          <Fact key={name} name={name}>
            {value}
          </Fact>
        ))}
      </dl>
      {answers.silence.groups.length > 0 && <GroupTable groups={answers.silence.groups} />}
    </Question>
  );
}

// Masks and boundaries.

function MaskQuestion({ answers }: { readonly answers: Answers }) {
  return (
    <Question title="Does the loss cover the right tokens?" answer={words.maskWords(answers)}>
      {answers.masks.some(({ checked }) => checked > 0) && (
        <dl className="facts">
          {answers.masks.map((finding) => (
            <Fact key={finding.fault} name={words.FAULT_WORDS[finding.fault]}>
              {words.faultWords(finding, answers.format)} <Turns turns={finding.turns} />
            </Fact>
          ))}
        </dl>
      )}
    </Question>
  );
}

const DRIFT_ROWS = 8;

function DriftTable({ drifts }: { readonly drifts: readonly Drift[] }) {
  if (drifts.length === 0) return null;
  return (
    <div className="wide-table" tabIndex={0} role="region" aria-label="First tokens that differ">
      <table className="small">
        <thead>
          <tr>
            <th scope="col">turn</th>
            <th scope="col">first other token</th>
            <th scope="col">sampled ids</th>
            <th scope="col">in the context</th>
            <th scope="col">words</th>
          </tr>
        </thead>
        <tbody>
          {drifts.slice(0, DRIFT_ROWS).map((drift, at) => {
            const { at: place, length, inTurn, sampled, rendered, sameText } = drift.boundary;
            return (
              <tr key={at}>
                <td>
                  <Turns turns={[drift]} />
                </td>
                <td className="number">
                  {place + 1} of {length}, {inTurn ? 'in the turn before' : 'before that turn'}
                </td>
                <td className="number">{sampled.join(' ')}</td>
                <td className="number">{rendered.join(' ')}</td>
                <td>{sameText ? 'the same' : 'edited'}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
      {drifts.length > DRIFT_ROWS && (
        <p className="small">{countWords(drifts.length - DRIFT_ROWS, 'more turn')}</p>
      )}
    </div>
  );
}

const BoundaryQuestion = ({ answers }: { readonly answers: Answers }) => (
  <Question
    title="Would rendering the conversation again give other tokens?"
    answer={words.boundaryWords(answers)}
  >
    <DriftTable drifts={[...answers.boundaries.drifted, ...answers.boundaries.rewritten]} />
  </Question>
);

/** All six, of the update on screen. */
export default function Questions() {
  const update = useUpdate();
  const header = useRun((run) => run.header);
  const updates = useRun((run) => run.updates);
  const answers = useMemo(() => update && header && answersOf(update, header), [update, header]);
  const use = useMemo(() => toolUseOf({ header, updates }), [header, updates]);
  if (!update || !answers) return <p className="small soft">No update is on screen yet.</p>;
  if (answers.rollouts.length === 0)
    return <p className="small soft">The rollouts of update {update.update} are not at hand yet.</p>;
  return (
    <div className="questions">
      <LearningQuestion answers={answers} />
      <MaskQuestion answers={answers} />
      <BoundaryQuestion answers={answers} />
      <MismatchQuestion answers={answers} />
      <TurnRewardQuestion answers={answers} />
      <ToolUseQuestion answers={answers} use={use} />
    </div>
  );
}

export function QuestionsDialog({ onClose }: { readonly onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const update = useUpdate();
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog
      ref={dialog}
      className="teach-dialog questions-dialog"
      aria-labelledby="questions-title"
      onClose={onClose}
    >
      <form method="dialog" className="section-head">
        <h2 id="questions-title">Questions about the rollouts of update {update?.update ?? 0}</h2>
        <button type="submit">Close</button>
      </form>
      <Questions />
    </dialog>
  );
}
