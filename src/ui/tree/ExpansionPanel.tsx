/** Why this node: every candidate of an iteration by rank, with entropy, penalty, score and who was picked. */
import { useState } from 'react';
import type { TreeState } from '../../store/run_state.ts';
import type { ExpansionCandidate, ExpansionRecord } from '../../units.ts';
import { useLab, useRun, useSelection } from '../binding.ts';
import { formatNumber, formatSetting } from '../format.ts';
import { nodeName } from './encodings.ts';

interface RowProps {
  readonly candidate: ExpansionCandidate;
  readonly low: number; // nats, of the score bars
  readonly high: number;
}

function CandidateRow({ candidate, low, high }: RowProps) {
  const { selection } = useLab();
  const selected = useSelection(({ node }) => node);
  const share = high > low ? (candidate.score - low) / (high - low) : 1;
  return (
    <tr data-picked={candidate.pickCount > 0} aria-selected={selected === candidate.node}>
      <td>{candidate.rank + 1}</td>
      <td>
        <button
          type="button"
          className="quiet link"
          onClick={() => selection.select({ node: candidate.node })}
          onPointerEnter={() => selection.select({ hovered: candidate.node })}
          onPointerLeave={() => selection.select({ hovered: null })}
        >
          {nodeName(candidate.node)}
        </button>
      </td>
      <td>{formatNumber(candidate.turnEntropy, 3)}</td>
      <td>
        {candidate.siblingCount === 0 ? '0' : `−${formatNumber(candidate.penalty, 2)}`}
        <span className="soft"> ({candidate.siblingCount})</span>
      </td>
      <td className="score">
        <span className="score-bar" style={{ width: `${Math.max(2, share * 100)}%` }} aria-hidden="true" />
        <span className="score-number">{formatNumber(candidate.score, 3)}</span>
      </td>
      <td className="picked">
        {candidate.pickCount === 0 ? '–' : candidate.pickCount === 1 ? '✓' : `✓ ${candidate.pickCount}×`}
      </td>
    </tr>
  );
}

function CandidateTable({ record }: { readonly record: ExpansionRecord }) {
  const ranked = record.candidates.toSorted((a, b) => a.rank - b.rank);
  const scores = ranked.map(({ score }) => score);
  const [low, high] = [Math.min(...scores, 0), Math.max(...scores)];
  return (
    <table className="candidates">
      <thead>
        <tr>
          <th scope="col">rank</th>
          <th scope="col">turn</th>
          <th scope="col">entropy</th>
          <th scope="col">penalty (sib.)</th>
          <th scope="col">score</th>
          <th scope="col">picked</th>
        </tr>
      </thead>
      <tbody>
        {ranked.map((candidate) => (
          <CandidateRow key={candidate.node} candidate={candidate} low={low} high={high} />
        ))}
      </tbody>
    </table>
  );
}

/** Expansions that have happened after `cursor` growth steps; null: all. */
export function expansionsGrown(tree: TreeState, cursor: number | null): readonly ExpansionRecord[] {
  if (cursor === null) return tree.expansions;
  const ranked = tree.growth.slice(0, cursor).filter(({ kind }) => kind === 'expansion').length;
  return tree.expansions.slice(0, ranked);
}

export function ExpansionPanel({ tree }: { readonly tree: TreeState }) {
  const cursor = useSelection(({ growth }) => growth);
  const rollout = useRun((run) => run.header?.config.algorithm.rollout ?? null);
  const records = expansionsGrown(tree, cursor);
  const [chosen, setChosen] = useState<number | null>(null);
  const record = records[chosen ?? records.length - 1] ?? records[records.length - 1];
  if (!rollout || !record)
    return (
      <section className="panel" aria-label="Expansion">
        <h2>Expansion</h2>
        <p className="small soft">
          {rollout
            ? `After the ${rollout.initialBranches} first rollouts the turns are ranked here, ${rollout.iterations} times, and ${rollout.picks} of them are sampled again each time.`
            : 'No run yet.'}
        </p>
      </section>
    );
  const random = rollout.expansion === 'random';
  return (
    <section className="panel" aria-label="Expansion">
      <div className="panel-head">
        <h2>
          Expansion: {random ? 'at random' : `entropy − ${formatSetting(rollout.siblingPenalty)} · siblings`}
        </h2>
        <div className="tabs" role="group" aria-label="Iteration">
          {records.map(({ iteration }, index) => (
            <button
              key={iteration}
              type="button"
              aria-pressed={record.iteration === iteration}
              onClick={() => setChosen(index)}
            >
              iteration {iteration + 1}
            </button>
          ))}
        </div>
      </div>
      <p className="small soft">
        {random
          ? `${rollout.picks} of ${record.candidates.length} turns drawn at random; scores are shown for comparison.`
          : `The top ${rollout.picks} of ${record.candidates.length} non-leaf turns are sampled again as siblings.`}
      </p>
      <CandidateTable record={record} />
    </section>
  );
}
