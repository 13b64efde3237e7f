/** What a what-if changes, before → after: every value, every advantage, and how many tokens. */
import type {
  Change,
  CreditChange,
  LeafInfluence,
  RangeChange,
  TurnInfluence,
} from '../../store/credit/credit_change.ts';
import type { CreditFrame } from '../../store/credit/credit_steps.ts';
import type { NodeId } from '../../units.ts';
import { nodeName } from '../drawing/encodings.ts';
import { useLab, useSelection } from '../parts/binding.ts';
import {
  asPrinted,
  countWords,
  formatCount,
  formatCredit,
  formatRange,
  formatSigned,
} from '../parts/format.ts';
import { RewardMark } from '../parts/parts.tsx';
import { rewardClass } from '../parts/scales.ts';
import { Label } from '../parts/Term.tsx';

interface MovedProps {
  readonly change: RangeChange | null; // null: there is no such number
  readonly changed: boolean;
  readonly known: boolean; // the stepper has reached it
}

/** Which way both ends went; nothing where they went apart. */
function wayOf({ before, after }: RangeChange): string {
  const [low, high] = before.map((end, side) => after[side] - end);
  if (low * high < 0) return '';
  return low + high > 0 ? '▲' : '▼';
}

function Moved({ change, changed, known }: MovedProps) {
  if (change && !known) return <td className="soft">?</td>;
  if (!change) return <td className="soft">none</td>;
  if (!changed) return <td className="soft">{formatRange(change.after)}</td>;
  return (
    <td>
      <span className="soft">{formatRange(change.before)}</span> →{' '}
      <strong>{formatRange(change.after)}</strong> <span aria-hidden="true">{wayOf(change)}</span>
    </td>
  );
}

const single = ({ before, after }: Change): RangeChange => ({
  before: [before, before],
  after: [after, after],
});

interface ChangePanelProps {
  readonly change: CreditChange;
  readonly frame: CreditFrame; // numbers that it has not reached are not told
}

export function ChangePanel({ change, frame }: ChangePanelProps) {
  const { selection } = useLab();
  const selected = useSelection(({ node }) => node);
  return (
    <section className="panel" aria-label="What changes">
      <h2>What changes</h2>
      <p className="small" role="status">
        {countWords(change.values, 'value')}, {countWords(change.advantages, 'advantage')} and{' '}
        {formatCount(change.tokens)} of {countWords(change.rowTokens, 'token')} in rows differ from the run’s
        own.
      </p>
      {change.nodes.length > 0 && (
        <div className="scroll-table" tabIndex={0} role="region" aria-label="Changed turns">
          <table className="changes">
            <thead>
              <tr>
                <th scope="col">
                  <Label>turn</Label>
                </th>
                <th scope="col">
                  <Label>value</Label>
                </th>
                <th scope="col">
                  <Label>advantage</Label>
                </th>
              </tr>
            </thead>
            <tbody>
              {change.nodes.map(({ node, value, advantage, valueChanged, advantageChanged }) => (
                <tr key={node} aria-selected={selected === node}>
                  <td>
                    <button type="button" className="quiet link" onClick={() => selection.select({ node })}>
                      {nodeName(node)}
                    </button>
                  </td>
                  <Moved change={single(value)} changed={valueChanged} known={frame.values[node] !== null} />
                  <Moved
                    change={advantage}
                    changed={advantageChanged}
                    known={frame.advantages[node] !== null}
                  />
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

// Leave one leaf out: how much each leaf moves the advantage of the chosen turn.

interface BarProps {
  readonly influence: number;
  readonly largest: number;
}

/** From the middle: to the right where the leaf raises the advantage, to the left where it lowers it. */
function Bar({ influence, largest }: BarProps) {
  const share = (50 * Math.abs(asPrinted(influence))) / largest;
  const left = influence < 0 ? 50 - share : 50;
  return (
    <span className="influence-bar" aria-hidden="true">
      <span data-sign={influence < 0 ? 'minus' : 'plus'} style={{ left: `${left}%`, width: `${share}%` }} />
    </span>
  );
}

interface LineProps {
  readonly entry: LeafInfluence;
  readonly largest: number;
  readonly row: NodeId | null; // that the numbers are of
}

function Line({ entry, largest, row }: LineProps) {
  const { selection } = useLab();
  const { leaf, influence, without, reward } = entry;
  return (
    <tr>
      <td>
        <button type="button" className="quiet link" onClick={() => selection.select({ leaf })}>
          <RewardMark kind={rewardClass(reward)} />
          {nodeName(leaf)}
        </button>
      </td>
      <td>{without === null ? (leaf === row ? 'its own row' : 'no such turn') : formatSigned(without)}</td>
      <td>{influence === null ? '' : formatCredit(influence)}</td>
      <td>{influence !== null && <Bar influence={influence} largest={largest} />}</td>
    </tr>
  );
}

export function InfluencePanel({ influence }: { readonly influence: TurnInfluence | null }) {
  if (!influence)
    return (
      <section className="panel" aria-label="Influence of leaves">
        <h2>
          <Label>Influence of each leaf</Label>
        </h2>
        <p className="small soft">Select a turn of a tree with several leaves.</p>
      </section>
    );
  const { node, row, advantage, leaves } = influence;
  const largest = Math.max(...leaves.map((entry) => Math.abs(entry.influence ?? 0)), 1e-12);
  return (
    <section className="panel" aria-label="Influence of leaves">
      <h2>
        <Label>{`Influence of each leaf on ${nodeName(node)}`}</Label>
        {row === null ? '' : ` in the row of ${nodeName(row)}`},{' '}
        <span className="soft">A = {formatSigned(advantage)}</span>
      </h2>
      <p className="small soft">
        Credit once more with the leaf left out. Its influence is the advantage with it less the advantage
        without.
        {row !== null &&
          ` This rule has no number per turn: numbers are of the tokens of this turn in the row of ${nodeName(row)}; select a leaf for its row.`}
      </p>
      <div className="scroll-table" tabIndex={0} role="region" aria-label="Leaves by influence">
        <table className="influences">
          <thead>
            <tr>
              <th scope="col">
                <Label>leaf</Label>
              </th>
              <th scope="col">
                <Label>A without</Label>
              </th>
              <th scope="col">
                <Label>influence</Label>
              </th>
              <th scope="col">
                <span className="visually-hidden">bar</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {leaves.map((entry) => (
              <Line key={entry.leaf} entry={entry} largest={largest} row={row} />
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
