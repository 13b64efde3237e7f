/** Rewards of turns and the baselines that take them; tool use over the steps. */
import type { Answers, GroupReturns, ToolUse } from '../../store/questions/questions.ts';
import { nodeName } from '../drawing/encodings.ts';
import { useLab, useSelection } from '../parts/binding.ts';
import { formatCredit, formatNumber } from '../parts/format.ts';
import { Question, ToTurn } from './parts.tsx';
import { toolUseWords, turnRewardWords, withinWords } from './words.ts';

const MOST_ROLLOUTS = 16;
const MOST_STATES = 6;

function Baselines({ group: { baselines } }: { readonly group: GroupReturns }) {
  return (
    <table className="small number">
      <caption className="heading">Return from a turn on, by turn index</caption>
      <thead>
        <tr>
          <th scope="col">turn</th>
          <th scope="col">rollouts there</th>
          <th scope="col">baseline: their mean</th>
          <th scope="col">means of their states</th>
        </tr>
      </thead>
      <tbody>
        {baselines.map(({ index, rollouts, mean, stateMeans }) => (
          <tr key={index}>
            <th scope="row">{index + 1}</th>
            <td>{rollouts}</td>
            <td>{formatNumber(mean, 3)}</td>
            <td>
              {stateMeans
                .slice(0, MOST_STATES)
                .map(
                  (each) => `after ${nodeName(each.after)}: ${formatNumber(each.mean, 3)} (${each.rollouts})`,
                )
                .join(', ')}
              {stateMeans.length > MOST_STATES && ` … (${stateMeans.length} states)`}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Returns({ group }: { readonly group: GroupReturns }) {
  return (
    <table className="small number">
      <caption className="heading">Advantage of each turn over three baselines</caption>
      <thead>
        <tr>
          <th scope="col">rollout</th>
          <th scope="col">turn</th>
          <th scope="col">reward</th>
          <th scope="col">return</th>
          <th scope="col">over its index</th>
          <th scope="col">whole rollout</th>
          <th scope="col">over its state</th>
        </tr>
      </thead>
      <tbody>
        {group.rollouts.slice(0, MOST_ROLLOUTS).flatMap(({ rollout: { prompt, leaf, place }, turns }) =>
          turns.map(({ turn: { node, index }, reward, value, overIndex, overRollout, overState }) => (
            <tr key={`${leaf} ${index}`}>
              <td>
                <ToTurn {...{ prompt, leaf, node }}>{place}</ToTurn>
              </td>
              <td>{index + 1}</td>
              <td>{reward === null ? 'unknown' : formatNumber(reward, 3)}</td>
              <td>{formatNumber(value, 3)}</td>
              <td>{formatCredit(overIndex, 3)}</td>
              <td>{formatCredit(overRollout, 3)}</td>
              <td>{overState === null ? 'alone' : formatCredit(overState, 3)}</td>
            </tr>
          )),
        )}
      </tbody>
    </table>
  );
}

export function TurnRewardQuestion({ answers }: { readonly answers: Answers }) {
  const prompt = useSelection((selection) => selection.prompt);
  const groups = answers.turnRewards?.groups ?? [];
  const group = groups.find((each) => each.prompt === prompt) ?? groups[0];
  return (
    <Question title="What does a baseline by turn index do to my rewards?" answer={turnRewardWords(answers)}>
      {group && (
        <details>
          <summary className="small">
            Group {group.prompt + 1}, turn by turn
            {group.rollouts.length > MOST_ROLLOUTS && ` (the first ${MOST_ROLLOUTS} rollouts)`}
          </summary>
          <div className="wide-table" tabIndex={0} role="region" aria-label="Baselines of turns">
            <Baselines group={group} />
            <Returns group={group} />
          </div>
        </details>
      )}
    </Question>
  );
}

export function ToolUseQuestion({
  answers,
  use,
}: {
  readonly answers: Answers;
  readonly use: ToolUse | null;
}) {
  const { selection } = useLab();
  const from = use?.declinesFrom ?? null;
  return (
    <Question title="Does the policy stop to use its tools?" answer={toolUseWords(use)}>
      <p className="small">{withinWords(answers)}</p>
      {from?.update != null && (
        <button
          type="button"
          className="small"
          onClick={({ currentTarget }) => {
            currentTarget.closest('dialog')?.close();
            selection.select({ view: 'tree', update: from.update });
          }}
        >
          See step {from.step}
        </button>
      )}
    </Question>
  );
}
