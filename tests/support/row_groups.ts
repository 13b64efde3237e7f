/** Seeded groups of rows that share prefixes in every way a tree can: branches, copies, cut rows, silent rows. */
import type { RowParts } from '../../src/algo/batch/pack.ts';
import { keyedRandom, type KeyedRandom } from '../../src/algo/random.ts';
import { nodeId } from '../../src/units.ts';

interface Row {
  readonly tokens: readonly number[];
  readonly mask: readonly number[];
}

const PROMPT = 2;

/** Goes on from a row's first `keep` tokens with tokens of its own, one observation among them. */
function branch(random: KeyedRandom, vocabulary: number, { tokens, mask }: Row, keep: number): Row {
  const length = 2 + random.integer(5);
  const silent = random.integer(length);
  return {
    tokens: [...tokens.slice(0, keep), ...Array.from({ length }, () => random.integer(vocabulary))],
    mask: [...mask.slice(0, keep), ...Array.from({ length }, (_, n) => (n === silent ? 0 : 1))],
  };
}

/** @returns per group a prompt of two tokens and `rowCount` rows below it; advantages differ by row and by turn */
export function randomGroups(
  vocabulary: number,
  groupCount: number,
  rowCount: number,
  seed: number,
): RowParts[][] {
  const random = keyedRandom({ seed, update: 0 }, 4711);
  return Array.from({ length: groupCount }, (_, prompt) => {
    const start = Array.from({ length: PROMPT }, () => random.integer(vocabulary));
    const rows: Row[] = [{ tokens: start, mask: start.map(() => 0) }]; // a row without a scored token
    while (rows.length < rowCount) {
      const from = rows[random.integer(rows.length)];
      const keep = PROMPT + random.integer(from.tokens.length - PROMPT + 1);
      const kind = random.integer(6);
      if (kind === 0)
        rows.push(from); // a copied leaf
      else if (kind === 1)
        rows.push({ tokens: from.tokens.slice(0, keep), mask: from.mask.slice(0, keep) }); // cut
      else rows.push(branch(random, vocabulary, from, keep));
    }
    return rows.map(({ tokens, mask }, leaf) => ({
      ...{ prompt, leaf: nodeId(leaf), tokens, mask, spans: [] },
      advantage: tokens.map(() => random.uniform() - 0.5),
    }));
  });
}

/** The same rows, each by itself. */
export const separately = (groups: readonly (readonly RowParts[])[]): RowParts[][] =>
  groups.flatMap((rows) => rows.map((row) => [row]));
