/** What the tree shows beside each node at a frame: the newest number that is known of it. Pure. */
import { CREDIT_PHASES, type CreditFrame, type CreditPhase } from '../../store/credit_steps.ts';
import type { NodeId, NodeTable, TurnNode } from '../../units.ts';
import type { AdvantageRange, AdvantageRanges } from '../../store/advantage_range.ts';
import { formatNumber, formatRange, formatSetting } from '../format.ts';
import { advantageExtent, drawAdvantage, drawCredit, type NodeDrawing } from '../tree/encodings.ts';

const asRange = (value: number | null): AdvantageRange | null => (value === null ? null : [value, value]);

/** Tables of a frame that a phase adds to, newest first. */
function newest(frame: CreditFrame): readonly { readonly what: string; readonly table: AdvantageRanges }[] {
  const phase: CreditPhase = frame.current?.phase ?? 'reward';
  const at = CREDIT_PHASES.indexOf(phase);
  const all = [
    { what: 'reward', table: frame.rewards.map(asRange), from: 0 },
    { what: 'value', table: frame.values.map(asRange), from: 1 },
    { what: 'advantage', table: frame.advantages, from: 3 },
  ];
  return all.filter(({ from }) => from <= at).toReversed();
}

const LETTERS: Readonly<Record<string, string>> = { reward: 'r', value: 'V', advantage: 'A' };

/** What the run itself had, where a what-if is on screen. */
export interface TrainedCredit {
  readonly rewards: NodeTable<number | null>;
  readonly values: NodeTable<number>;
  readonly advantages: AdvantageRanges;
}

function trainedNumber(trained: TrainedCredit, what: string, id: NodeId): AdvantageRange | null {
  if (what === 'advantage') return trained.advantages[id];
  return asRange((what === 'reward' ? trained.rewards : trained.values)[id]);
}

/** Rewards as the run paid them and as a person sets them. */
export interface SetRewards {
  readonly paid: NodeTable<number | null>;
  readonly shown: NodeTable<number | null>;
  readonly held: NodeId | null; // the leaf under a drag
}

/** What a person sets the leaf's reward to; null where nobody does. */
function setReward({ paid, shown, held }: SetRewards, leaf: NodeId) {
  const [before, after] = [paid[leaf] ?? null, shown[leaf] ?? null];
  if (after === null || (before === after && held !== leaf)) return null;
  const to = formatSetting(after);
  return before === null || before === after
    ? { note: `r ${to}`, words: `, reward set to ${to}` }
    : {
        note: `r ${formatSetting(before)} → ${to}`,
        words: `, reward set to ${to}, was ${formatSetting(before)}`,
      };
}

/** A label that changes by less is not said to have changed. */
const SEEN_CHANGE = 0.005;

/**
 * @param trained of the run, to say what a changed number was; null: nothing is asked
 * @param rewards to say at a leaf what its reward is set to, whatever step is on screen
 */
export function drawingAt(
  frame: CreditFrame,
  trained: TrainedCredit | null = null,
  rewards: SetRewards | null = null,
): (node: TurnNode) => NodeDrawing {
  const tables = newest(frame);
  const extents = new Map(tables.map(({ what, table }) => [what, advantageExtent(table)]));
  const numbers = (node: TurnNode): NodeDrawing => {
    const known = tables.find(({ table }) => table[node.id] != null);
    if (!known) return { fill: 'var(--surface)', dash: '2 3', glyph: '', label: '?', words: 'not known yet' };
    const range = known.table[node.id] ?? null;
    const [value] = range ?? [null];
    const extent = extents.get(known.what) ?? 1;
    const drawing =
      known.what === 'advantage' ? drawAdvantage(node, range, extent) : drawCredit(value, extent, known.what);
    const label =
      known.what === 'reward' ? formatNumber(value, Number.isInteger(value) ? 0 : 1) : drawing.label;
    const before = trained && trainedNumber(trained, known.what, node.id);
    const moves = before && range ? range.map((end, side) => end - before[side]) : [];
    const changed = moves.some((move) => Math.abs(move) >= SEEN_CHANGE);
    const words = changed ? `${drawing.words}, was ${formatRange(before)}` : drawing.words;
    const up = moves.some((move) => move >= SEEN_CHANGE);
    const down = moves.some((move) => move <= -SEEN_CHANGE);
    const mark = (up ? '↑' : '') + (down ? '↓' : '');
    return { ...drawing, words, label: `${LETTERS[known.what]} ${label}${mark}` };
  };
  return (node) => {
    const drawing = numbers(node);
    const set = rewards && node.ending !== null ? setReward(rewards, node.id) : null;
    return set ? { ...drawing, note: set.note, words: `${drawing.words}${set.words}` } : drawing;
  };
}
