/** Why this node: every candidate of a choice by rank, with entropy, penalty, score, who was picked and who would be. */
import { Fragment, useMemo, useState } from 'react';
import { branchesOfPick, forcedExpansion } from '../../store/ask/interventions.ts';
import {
  expansionWhatIf,
  type ExpansionRule,
  type ExpansionWhatIf,
} from '../../store/credit/expansion_what_if.ts';
import type { TreeState } from '../../store/record/run_state.ts';
import type { ExpansionCandidate, ExpansionRecord, NodeId, RolloutConfig } from '../../units.ts';
import { nodeName } from '../drawing/encodings.ts';
import { useRecipe, useLab, useSelection, useUpdateNumber } from '../parts/binding.ts';
import { countWords, formatNumber } from '../parts/format.ts';
import { Label } from '../parts/Term.tsx';
import { awaitingExpansion, expansionWords, thresholdWords, type ExpansionWords } from './expansion_words.ts';
import { ExpansionControls } from './ExpansionWhatIf.tsx';
import { useHandTree, useWhyNot } from './hand_words.ts';

// In the list of candidates: expand one that the rule left out, or veto what a pick made.

interface CandidateByHandProps {
  readonly own: TreeState;
  readonly iteration: number;
  readonly candidate: ExpansionCandidate;
}

export function CandidateByHand({ own, iteration, candidate }: CandidateByHandProps) {
  const { interventions } = useLab();
  const tree = useHandTree()?.tree ?? own;
  const rollout = useRecipe((config) => config.algorithm.rollout);
  const seed = (useHandTree()?.done.length ?? 0) + 1;
  const whyNot = useWhyNot();
  const { node, pickCount } = candidate;
  if (!rollout || !tree.rewards) return null;
  if (tree.nodes[node]?.pruned !== false) return <span className="soft">taken out</span>;
  if (pickCount > 0) {
    if (branchesOfPick(own, iteration, node).length === 0) return null; // trimmed, or of a shape that keeps no trace
    if (branchesOfPick(tree, iteration, node).length === 0) return <span className="soft">vetoed</span>;
    return (
      <button
        type="button"
        className="quiet link"
        aria-label={`Veto the picks of ${nodeName(node)}`}
        onClick={() => interventions.veto(iteration, node)}
      >
        veto
      </button>
    );
  }
  const forced = forcedExpansion(rollout);
  return (
    <button
      type="button"
      className="quiet link"
      disabled={whyNot !== null}
      aria-label={`Expand ${nodeName(node)} by hand, ${countWords(forced.count, 'turn')}`}
      title={whyNot ?? undefined}
      onClick={() => interventions.grow({ ...forced, node, seed }, true)}
    >
      expand
    </button>
  );
}

const ROWS_AT_FIRST = 24; // of a table that may have thousands

const picksText = (count: number): string => (count === 0 ? '–' : count === 1 ? '✓' : `✓ ${count}×`);

interface RowProps {
  readonly tree: TreeState;
  readonly iteration: number;
  readonly candidate: ExpansionCandidate;
  readonly wouldPick: number | null; // under the other rule; null: no question is asked
  readonly words: ExpansionWords;
  readonly low: number; // of the score bars
  readonly high: number;
}

function CandidateRow({ tree, iteration, candidate, wouldPick, words, low, high }: RowProps) {
  const { selection } = useLab();
  const selected = useSelection(({ node }) => node === candidate.node);
  const share = high > low ? (candidate.score - low) / (high - low) : 1;
  const picked = wouldPick ?? candidate.pickCount;
  return (
    <tr data-picked={picked > 0} aria-selected={selected}>
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
      <td>{formatNumber(candidate.turnSurprisal, 3)}</td>
      {words.penalty !== null && (
        <td>
          {candidate.penalty === 0 ? '0' : formatNumber(-candidate.penalty, 2)}
          <span className="soft"> ({candidate.siblingCount})</span>
        </td>
      )}
      <td className="score">
        <span className="score-bar" style={{ width: `${Math.max(2, share * 100)}%` }} aria-hidden="true" />
        <span className="score-number">{formatNumber(candidate.score, 3)}</span>
      </td>
      <td className="picked">
        {picksText(candidate.pickCount)}{' '}
        <CandidateByHand own={tree} iteration={iteration} candidate={candidate} />
      </td>
      {wouldPick !== null && <td className="picked">{picksText(wouldPick)}</td>}
    </tr>
  );
}

/** A candidate as it stands under the rule on screen, with the picks of the run. */
interface Ranked {
  readonly candidate: ExpansionCandidate;
  readonly wouldPick: number | null;
}

function rank(record: ExpansionRecord, whatIf: ExpansionWhatIf | null): readonly Ranked[] {
  const did = new Map<NodeId, number>(record.candidates.map(({ node, pickCount }) => [node, pickCount]));
  return (whatIf ?? record).candidates
    .toSorted((a, b) => a.rank - b.rank)
    .map((candidate) => ({
      candidate: { ...candidate, pickCount: did.get(candidate.node) ?? 0 },
      wouldPick: whatIf ? candidate.pickCount : null,
    }));
}

interface TableProps {
  readonly tree: TreeState; // as the run grew it
  readonly record: ExpansionRecord;
  readonly whatIf: ExpansionWhatIf | null;
  readonly picks: number | null; // turns picked by rank; null: picks do not follow it, or everybody is picked
  readonly words: ExpansionWords;
}

function CandidateTable({ tree, record, whatIf, picks, words }: TableProps) {
  const [all, setAll] = useState(false);
  const ranked = useMemo(() => rank(record, whatIf), [record, whatIf]);
  const low = ranked.reduce((least, { candidate }) => Math.min(least, candidate.score), 0);
  const high = ranked.reduce((most, { candidate }) => Math.max(most, candidate.score), -Infinity);
  const rows = all ? ranked : ranked.slice(0, ROWS_AT_FIRST);
  const threshold = picks === null ? null : thresholdWords(ranked.map(({ candidate }) => candidate.score), picks); // prettier-ignore
  const columns = 5 + (words.penalty === null ? 0 : 1) + (whatIf ? 1 : 0);
  return (
    <>
      <table className="candidates">
        <thead>
          <tr>
            <th scope="col">rank</th>
            <th scope="col">
              <Label>turn</Label>
            </th>
            <th
              scope="col"
              title="Mean −log-probability of the turn’s sampled tokens; the paper’s code calls it entropy"
            >
              <Label>surprisal</Label>
            </th>
            {words.penalty !== null && (
              <th scope="col">
                <Label>{words.penalty}</Label>
              </th>
            )}
            <th scope="col">
              <Label>{words.score}</Label>
            </th>
            <th scope="col">
              <Label>picked</Label>
            </th>
            {whatIf && <th scope="col">would be</th>}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ candidate, wouldPick }, index) => (
            <Fragment key={candidate.node}>
              <CandidateRow
                tree={tree}
                iteration={record.iteration}
                candidate={candidate}
                wouldPick={wouldPick}
                words={words}
                low={low}
                high={high}
              />
              {threshold !== null && index === (picks ?? 0) - 1 && (
                <tr className="threshold">
                  <th scope="row" colSpan={columns}>
                    <Label>{threshold}</Label>
                  </th>
                </tr>
              )}
            </Fragment>
          ))}
        </tbody>
      </table>
      {rows.length < ranked.length && (
        <button type="button" className="quiet" onClick={() => setAll(true)}>
          the other {countWords(ranked.length - rows.length, 'candidate')}
        </button>
      )}
    </>
  );
}

/** Expansions that have happened after `cursor` growth steps; null: all. */
export function expansionsGrown(tree: TreeState, cursor: number | null): readonly ExpansionRecord[] {
  if (cursor === null) return tree.expansions;
  const ranked = tree.growth.slice(0, cursor).filter(({ kind }) => kind === 'expansion').length;
  return tree.expansions.slice(0, ranked);
}

/** How many turns a rule picks by rank; null where picks do not follow the ranking or everybody is picked. */
const picksByRank = ({ expansion, picks }: ExpansionRule, { candidates }: ExpansionRecord): number | null =>
  expansion === 'entropy' && picks < candidates.length ? picks : null;

interface RecordProps {
  readonly tree: TreeState;
  readonly record: ExpansionRecord;
  readonly rollout: RolloutConfig;
}

/** The names of what one rule picks and the other does not. */
function changeSentence(record: ExpansionRecord, whatIf: ExpansionWhatIf): string {
  const names = (picks: readonly NodeId[], without: readonly NodeId[]): string =>
    [...new Set(picks.filter((node) => !without.includes(node)))].map(nodeName).join(', ');
  const [gained, lost] = [names(whatIf.picks, record.picks), names(record.picks, whatIf.picks)];
  if (gained === '' && lost === '') return 'The same turns would be picked.';
  return `Would be picked instead: ${gained || 'nobody'}; no longer: ${lost || 'nobody'}.`;
}

function Choice({ tree, record, rollout }: RecordProps) {
  const seed = useRecipe((config) => config.seed) ?? 0;
  const update = useUpdateNumber();
  const { selection } = useLab();
  const rule = useSelection((state) => state.expansionRule);
  const setRule = (wanted: ExpansionRule | null): void => selection.select({ expansionRule: wanted });
  const canAsk = rollout.shape === 'turn_tree';
  const { index: prompt } = tree.prompt;
  const whatIf = useMemo(
    () => (rule && canAsk ? expansionWhatIf(record, rule, { seed, update }, prompt) : null),
    [rule, canAsk, record, seed, update, prompt],
  );
  const words = expansionWords(rollout, record.candidates.length);
  return (
    <>
      <p className="small soft">{words.sentence}</p>
      {canAsk && <ExpansionControls own={rollout} rule={rule ?? rollout} onChange={setRule} />}
      {whatIf && (
        <p className="small what-if-note" role="status">
          {changeSentence(record, whatIf)}
        </p>
      )}
      <CandidateTable
        tree={tree}
        record={record}
        whatIf={whatIf}
        picks={canAsk ? picksByRank(rule ?? rollout, record) : null}
        words={words}
      />
    </>
  );
}

export function ExpansionPanel({ tree }: { readonly tree: TreeState }) {
  const cursor = useSelection(({ growth }) => growth);
  const rollout = useRecipe((config) => config.algorithm.rollout);
  const records = expansionsGrown(tree, cursor);
  const { selection } = useLab();
  const chosen = useSelection((state) => state.round);
  const setChosen = (round: number): void => selection.select({ round });
  const record = records[chosen ?? records.length - 1] ?? records[records.length - 1];
  if (!rollout || !record)
    return (
      <section className="panel" aria-label="Expansion">
        <h2>
          <Label>{rollout ? expansionWords(rollout, 0).title : 'Expansion'}</Label>
        </h2>
        <p className="small soft">{rollout ? awaitingExpansion(rollout) : 'No run yet.'}</p>
      </section>
    );
  const words = expansionWords(rollout, record.candidates.length);
  return (
    <section className="panel" aria-label="Expansion">
      <div className="panel-head">
        <h2>
          <Label>{words.title}</Label>
        </h2>
        {records.length > 8 ? (
          <select
            aria-label={words.round}
            value={records.indexOf(record)}
            onChange={(event) => setChosen(Number(event.target.value))}
          >
            {records.map(({ iteration }, index) => (
              <option key={iteration} value={index}>
                {words.round} {iteration + 1}
              </option>
            ))}
          </select>
        ) : (
          <div className="tabs" role="group" aria-label={words.round}>
            {records.map(({ iteration }, index) => (
              <button
                key={iteration}
                type="button"
                aria-pressed={record.iteration === iteration}
                onClick={() => setChosen(index)}
              >
                <Label>{`${words.round} ${iteration + 1}`}</Label>
              </button>
            ))}
          </div>
        )}
      </div>
      <Choice tree={tree} record={record} rollout={rollout} />
    </section>
  );
}
