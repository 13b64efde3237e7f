/** What the tree shows beside each node at a frame: the newest number that is known of it. Pure. */
import { CREDIT_PHASES, type CreditFrame, type CreditPhase } from '../../store/credit_steps.ts';
import type { NodeId, NodeTable, TurnNode } from '../../units.ts';
import type { Credit } from '../../store/credit.ts';
import { formatNumber, formatSigned } from '../format.ts';
import { drawCredit, extentOf, type NodeDrawing } from '../tree/encodings.ts';

/** Tables of a frame that a phase adds to, newest first. */
function newest(
  frame: CreditFrame,
): readonly { readonly what: string; readonly table: NodeTable<number | null> }[] {
  const phase: CreditPhase = frame.current?.phase ?? 'reward';
  const at = CREDIT_PHASES.indexOf(phase);
  const all = [
    { what: 'reward', table: frame.rewards, from: 0 },
    { what: 'value', table: frame.values, from: 1 },
    { what: 'advantage', table: frame.advantages, from: 3 },
  ];
  return all.filter(({ from }) => from <= at).toReversed();
}

const LETTERS: Readonly<Record<string, string>> = { reward: 'r', value: 'V', advantage: 'A' };

/** What the run itself had, where a what-if is on screen. */
export interface TrainedCredit {
  readonly rewards: NodeTable<number | null>;
  readonly credit: Credit;
}

function trainedNumber({ rewards, credit }: TrainedCredit, what: string, id: NodeId): number | null {
  if (what === 'reward') return rewards[id] ?? null;
  return (what === 'value' ? credit.values : credit.advantages).byNode[id];
}

/** A label that changes by less is not said to have changed. */
const SEEN_CHANGE = 0.005;

/** @param trained of the run, to say what a changed number was; null: nothing is asked */
export function drawingAt(
  frame: CreditFrame,
  trained: TrainedCredit | null = null,
): (node: TurnNode) => NodeDrawing {
  const tables = newest(frame);
  const extents = new Map(tables.map(({ what, table }) => [what, extentOf(table)]));
  return (node) => {
    const known = tables.find(({ table }) => table[node.id] != null);
    if (!known) return { fill: 'var(--surface)', dash: '2 3', glyph: '', label: '?', words: 'not known yet' };
    const value = known.table[node.id];
    const drawing = drawCredit(value, extents.get(known.what) ?? 1, known.what);
    const label =
      known.what === 'reward' ? formatNumber(value, Number.isInteger(value) ? 0 : 1) : drawing.label;
    const before = trained && trainedNumber(trained, known.what, node.id);
    const changed = before !== null && value !== null && Math.abs(value - before) >= SEEN_CHANGE;
    const words = changed ? `${drawing.words}, was ${formatSigned(before)}` : drawing.words;
    const mark = changed ? (value > before ? '↑' : '↓') : '';
    return { ...drawing, words, label: `${LETTERS[known.what]} ${label}${mark}` };
  };
}
