/**
 * The advantage rules once more, from their papers' formulas and on flat rows: every sampled token of every row gets its
 * number by plain loops. Shares no code with src/algo/advantage; a subtree is the set of rows that share a path's start.
 */
import type { AdvantageRule, CreditConfig, RecordedTree, TreeSignals } from '../../src/units.ts';

export interface OracleTurn {
  readonly node: number;
  readonly count: number; // sampled tokens
}

export interface OracleRow {
  readonly prompt: number;
  readonly tree: number;
  readonly reward: number;
  readonly path: readonly number[]; // nodes from the root to the leaf
  readonly turns: readonly OracleTurn[];
  readonly mask: readonly number[]; // response
}

export interface OracleGroup {
  readonly rows: readonly OracleRow[];
  readonly tree: RecordedTree;
  readonly values: readonly number[]; // by node
  readonly signals: TreeSignals;
}

const sum = (xs: readonly number[]) => xs.reduce((total, x) => total + x, 0);
const avg = (xs: readonly number[]) => sum(xs) / xs.length;
const spread = (xs: readonly number[], ddof: number) =>
  Math.sqrt(sum(xs.map((x) => (x - avg(xs)) ** 2)) / (xs.length - ddof));
/** GRPO's z-score; a number alone passes through. */
const z = (x: number, xs: readonly number[]) =>
  xs.length === 1 ? x / (1 + 1e-6) : (x - avg(xs)) / (spread(xs, 1) + 1e-6);
const smooth = (x: number, xs: readonly number[]) =>
  (x - avg(xs)) / (Math.sqrt(spread(xs, 0) ** 2 + 1e-8) + 1e-6);

/** By row, by turn, by sampled token. */
type Numbers = readonly (readonly (readonly number[])[])[];

const perTurn = (
  rows: readonly OracleRow[],
  of: (row: OracleRow, turn: number, index: number) => number,
): Numbers =>
  rows.map((row, index) =>
    row.turns.map(({ count }, turn) => Array.from({ length: count }, () => of(row, turn, index))),
  );
const perRow = (rows: readonly OracleRow[], of: (row: OracleRow, index: number) => number): Numbers =>
  perTurn(rows, (row, _turn, index) => of(row, index));

/** (x − μ)/√(σ² + 1e-8) over all tokens, σ² with Bessel's correction. */
function whiten(groups: readonly Numbers[]): readonly Numbers[] {
  const all = groups.flat(3);
  const scale = Math.sqrt(spread(all, 1) ** 2 + 1e-8);
  return groups.map((rows) =>
    rows.map((turns) => turns.map((tokens) => tokens.map((x) => (x - avg(all)) / scale))),
  );
}

const rewards = (rows: readonly OracleRow[]) => rows.map(({ reward }) => reward);
/** Rows that go through a node. */
const through = (rows: readonly OracleRow[], node: number) => rows.filter(({ path }) => path.includes(node));
const parentOf = (row: OracleRow, node: number) => row.path[row.path.indexOf(node) - 1];

function ofGroup(rule: AdvantageRule, group: OracleGroup, config: CreditConfig): Numbers {
  const { rows, values, signals, tree } = group;
  const { discount, mixing } = config;
  const all = rewards(rows);
  const at = (row: OracleRow, turn: number) => row.turns[turn].node;
  const sameTree = (row: OracleRow) => rows.filter((other) => other.tree === row.tree);
  switch (rule) {
    case 'node_value':
      return perTurn(rows, (row, turn) => values[at(row, turn)]);
    case 'diff_parent':
    case 'treepo_segment':
      return perTurn(rows, (row, turn) => values[at(row, turn)] - values[parentOf(row, at(row, turn))]);
    case 'diff_global':
      return perTurn(rows, (row, turn) => values[at(row, turn)] - values[0]);
    case 'diff_localglobal':
    case 'tree_rl':
      return perTurn(rows, (row, turn) => {
        const node = at(row, turn);
        const both = 2 * values[node] - values[0] - values[parentOf(row, node)];
        return rule === 'tree_rl' ? both / Math.sqrt(through(rows, node).length) : both;
      });
    case 'vanilla':
      return perRow(rows, ({ reward }) => z(reward, all));
    case 'dr_grpo':
    case 'reinforce_pp_baseline':
      return perRow(rows, ({ reward }) => reward - (all.length > 1 ? avg(all) : 0));
    case 'rloo':
      return perRow(rows, ({ reward }, i) => reward - avg(all.filter((_, j) => j !== i)));
    case 'opo': {
      const perToken = rows.flatMap(({ reward, turns }) =>
        turns.flatMap(({ count }) => Array.from({ length: count }, () => reward)),
      );
      return perRow(rows, ({ reward }) => reward - avg(perToken));
    }
    case 'pass_k': {
      const [best, second] = all.toSorted((a, b) => b - a);
      return perRow(rows, (_, i) =>
        i === all.indexOf(best) ? (best - second) / (spread(all, 1) + 1e-6) : 0,
      );
    }
    case 'remax':
    case 'optimal_value':
      return perRow(rows, ({ reward }) => reward - (signals.baseline ?? NaN));
    case 'reinforce_pp':
      return rows.map(({ reward, turns }) => {
        const total = sum(turns.map(({ count }) => count));
        let place = 0;
        return turns.map(({ count }) =>
          Array.from({ length: count }, () => reward * discount ** (total - 1 - place++)),
        );
      });
    case 'tree_grpo':
      return perRow(rows, (row) => z(row.reward, all) + z(row.reward, rewards(sameTree(row))));
    case 'tree_grpo_intra':
      return perRow(rows, (row) => z(row.reward, rewards(sameTree(row))));
    case 'tree_grpo_two_norms':
      return perRow(rows, (row) => z(z(row.reward, all), rewards(sameTree(row)).map((r) => z(r, all)))); // prettier-ignore
    case 'tree_grpo_per_token': {
      const tokens = (row: OracleRow) => {
        const zeros = Array.from({ length: sum(row.turns.map(({ count }) => count)) }, () => 0);
        return [...zeros.slice(1), row.reward];
      };
      const within = (members: readonly OracleRow[]) => members.flatMap(tokens);
      return rows.map((row) => {
        const own = tokens(row);
        let place = 0;
        return row.turns.map(({ count }) =>
          Array.from({ length: count }, () => {
            const r = own[place++];
            return z(r, within(rows)) + z(r, within(sameTree(row)));
          }),
        );
      });
    }
    case 'tree_diff': {
      const mean = (node: number) => avg(rewards(through(rows, node)));
      return rows.map((row) =>
        row.turns.map(({ node, count }) => {
          const gain = Math.max(mean(node) - mean(parentOf(row, node)) - 0.1, 0);
          const score = (gain + mean(node)) / Math.sqrt(through(rows, node).length);
          const last = node === row.path.at(-1);
          return Array.from({ length: count }, (_, token) => (last || token === count - 1 ? 0 : score));
        }),
      );
    }
    case 'arpo_hard':
      return perTurn(rows, (row, turn) =>
        avg(rewards(through(rows, at(row, turn))).map((reward) => z(reward, all))),
      );
    case 'treepo':
      return perRow(rows, ({ path, reward }) => {
        let [top, bottom] = [0, 0];
        path.forEach((node, depth) => {
          const members = rewards(through(rows, node));
          if (depth > 0 && members.length === 1) return;
          top += members.length * (reward - avg(members));
          bottom += members.length;
        });
        return top / bottom;
      });
    case 'gae':
      // λ-return: (1 − λ)·Σ_n λ^(n−1)·G^(n) + λ^(N−1)·G^(N), minus the value before the turn.
      return perTurn(rows, (row, turn) => {
        const before = row.turns.map(({ node }) => values[parentOf(row, node)]);
        const left = row.turns.length - turn;
        const outcome = values[row.path.at(-1) ?? 0];
        const nStep = (n: number) =>
          n < left ? discount ** n * before[turn + n] : discount ** (left - 1) * outcome;
        let mixed = config.lambda ** (left - 1) * nStep(left);
        for (let n = 1; n < left; n += 1) mixed += (1 - config.lambda) * config.lambda ** (n - 1) * nStep(n);
        return mixed - before[turn];
      });
    case 'gtpo':
    case 'gtpo_by_turn': {
      const G = rows.map((row) =>
        row.turns.map((_, t) => {
          let total = 0;
          for (let k = t; k < row.turns.length; k += 1) {
            const paid =
              (signals.stepReward?.[at(row, k)] ?? 0) + (k === row.turns.length - 1 ? row.reward : 0);
            total += discount ** (k - t) * paid;
          }
          return total;
        }),
      );
      const same = (t: number) =>
        rule === 'gtpo' ? G.flat() : G.filter((g) => g.length > t).map((g) => g[t]);
      return perTurn(rows, (_row, turn, i) => z(G[i][turn], same(turn)));
    }
    case 'igpo':
    case 'igpo_position': {
      const p = (node: number) => Math.exp(signals.belief?.[node] ?? NaN);
      const pay = rows.map((row) =>
        row.turns.map((turn, t) =>
          t === row.turns.length - 1 ? row.reward : p(turn.node) - p(t === 0 ? 0 : at(row, t - 1)),
        ),
      );
      if (rule === 'igpo')
        return perTurn(rows, (row, turn, i) => {
          let total = 0;
          for (let k = turn; k < row.turns.length; k += 1)
            total += discount ** (k - turn) * z(pay[i][k], pay.flat());
          return total;
        });
      const positions = rows.map((row) => positionsOf(tree, row));
      const ends = positions.map((turns) => turns.map((places) => places[places.length - 1]));
      const later = (i: number, place: number) => sum(pay[i].filter((_, t) => ends[i][t] >= place)); // what is still to be paid at this place
      return rows.map((_row, i) =>
        positions[i].map((places) =>
          places.map((place) => later(i, place) - avg(rows.map((_other, j) => later(j, place)))),
        ),
      );
    }
    case 'a2tgpo': {
      const l = (row: OracleRow, t: number) => signals.belief?.[at(row, t)] ?? NaN;
      const gains = (row: OracleRow) => row.turns.slice(1, -1).map((_, j) => l(row, j + 1) - l(row, j));
      const hat = (row: OracleRow, j: number) =>
        smooth(gains(row)[j], rows.filter((other) => gains(other).length > j).map((other) => gains(other)[j])); // prettier-ignore
      return perTurn(rows, (row, turn) => {
        const outcome = smooth(row.reward, all);
        const n = gains(row).length;
        if (turn === row.turns.length - 1 || n === 0) return outcome;
        const t = Math.max(0, turn - 1);
        let D = 0;
        for (let j = t; j < n; j += 1) D += discount ** (j - t) * hat(row, j);
        return (mixing * D) / Math.sqrt(n - t) + outcome;
      });
    }
    case 'istar': {
      const paid = rows.flatMap(({ turns }) => turns.map(({ node }) => signals.stepReward?.[node] ?? NaN));
      return perTurn(
        rows,
        (row, turn) => z(row.reward, all) + mixing * z(signals.stepReward?.[at(row, turn)] ?? NaN, paid),
      );
    }
    case 'rapo': {
      const H = (node: number) => {
        const { entropy, mask } = tree.nodes[node];
        const sampled = entropy!.filter((_, place) => mask[place] === 1);
        return sampled.length === 0 ? null : avg(sampled);
      };
      const gain = ({ path }: OracleRow) => {
        const found: number[] = [];
        for (let i = 1; i < path.length - 1; i += 1) {
          if (!tree.nodes[path[i]].retrieved) continue;
          let [b, a] = [i - 1, i + 1];
          while (b > 0 && H(path[b]) === null) b -= 1;
          while (a < path.length - 1 && H(path[a]) === null) a += 1;
          const [before, after] = [b > 0 ? H(path[b]) : null, H(path[a])];
          if (before === null || before === 0 || after === null) continue;
          found.push(before * Math.tanh(-2 * ((after - before) / before)));
        }
        return found.length === 0 ? 0 : avg(found);
      };
      const Z = rows.map(gain);
      return perRow(rows, ({ reward }, i) => (1 + mixing * z(Z[i], Z)) * z(reward, all));
    }
  }
  return rule satisfies never;
}

/** Response positions of each turn's sampled tokens. */
export function positionsOf(tree: RecordedTree, row: OracleRow): readonly (readonly number[])[] {
  let place = 0;
  return row.path
    .map((node) => tree.nodes[node].mask.flatMap((bit) => (bit === 1 ? [place++] : (place++, []))))
    .filter((places) => places.length > 0);
}

const WHITENED: readonly AdvantageRule[] = [
  ...(['reinforce_pp', 'reinforce_pp_baseline', 'treepo', 'treepo_segment', 'gae'] as const),
];

/** Advantages of all sampled tokens of an update: by tree, row, turn, token. */
export function oracleAdvantages(
  rule: AdvantageRule,
  groups: readonly OracleGroup[],
  config: CreditConfig,
): readonly Numbers[] {
  const plain = groups.map((group) => ofGroup(rule, group, config));
  return WHITENED.includes(rule) ? whiten(plain) : plain;
}
