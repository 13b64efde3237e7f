import { describe, expect, test } from 'vitest';
import { layOutTree, linkPath, type LayoutInput } from '../../src/ui/drawing/tree_layout.ts';
import { nodeId } from '../../src/units.ts';

/** Parents by id; the tree after `count` arrivals. */
const PARENTS = [null, 0, 0, 1, 2, 0, 5, 1];
const treeOf = (count: number, parents: readonly (number | null)[] = PARENTS): LayoutInput[] =>
  parents.slice(0, count).map((parent, index) => ({
    id: nodeId(index),
    parent: parent === null ? null : nodeId(parent),
    children: parents.slice(0, count).flatMap((other, child) => (other === index ? [nodeId(child)] : [])),
  }));
const SIZE = { columnWidth: 100, rowHeight: 20 };

describe('the tree layout', () => {
  test('gives one column per turn and one row per leaf', () => {
    const { nodes, rows, columns, width, height } = layOutTree(treeOf(8), SIZE);
    expect(nodes.map(({ id, column, row }) => [id, column, row])).toEqual([
      [0, 0, 0],
      [1, 1, 0],
      [3, 2, 0],
      [7, 2, 1],
      [2, 1, 2],
      [4, 2, 2],
      [5, 1, 3],
      [6, 2, 3],
    ]);
    expect([rows, columns, width, height]).toEqual([4, 3, 300, 80]);
  });

  test('counts the leaves through each node', () => {
    const { byId } = layOutTree(treeOf(8), SIZE);
    expect([0, 1, 2, 6].map((id) => byId.get(nodeId(id))?.leafCount)).toEqual([4, 2, 1, 1]);
  });

  test('moves no node sideways and none by more than a row when one arrives', () => {
    for (let seed = 1; seed <= 8; seed += 1) {
      let state = seed * 7919;
      const random = (below: number) => (state = (state * 48271) % 2147483647) % below;
      const parents = [null, ...Array.from({ length: 40 }, (_, index) => random(index + 1))];
      for (let count = 2; count < parents.length; count += 1) {
        const before = layOutTree(treeOf(count, parents), SIZE);
        const after = layOutTree(treeOf(count + 1, parents), SIZE);
        for (const node of before.nodes) {
          const moved = after.byId.get(node.id);
          expect(moved?.x).toBe(node.x);
          expect([node.row, node.row + 1]).toContain(moved?.row);
        }
      }
    }
  });

  test('a continuation moves nothing', () => {
    const before = layOutTree(treeOf(3), SIZE);
    const after = layOutTree(treeOf(4), SIZE);
    expect(before.nodes.map(({ row }) => row)).toEqual(before.nodes.map(({ id }) => after.byId.get(id)?.row));
  });

  test('reserves rows and columns for what is to come', () => {
    const { rows, height, columns } = layOutTree(treeOf(2), { ...SIZE, capacity: 11, columnCapacity: 4 });
    expect([rows, height, columns]).toEqual([11, 220, 4]);
  });

  test('hides what lies below a collapsed node and says how much', () => {
    const { byId, rows } = layOutTree(treeOf(8), { ...SIZE, folding: { collapsed: new Set([nodeId(1)]) } });
    expect([
      byId.has(nodeId(3)),
      byId.get(nodeId(1))?.hiddenCount,
      byId.get(nodeId(1))?.leafCount,
      rows,
    ]).toEqual([false, 2, 2, 3]);
  });

  test('is empty without a root and skips nodes that are not there', () => {
    expect(layOutTree([], SIZE).nodes).toEqual([]);
    const [root, first] = treeOf(3);
    expect(layOutTree([root, first, undefined], SIZE).nodes.map(({ id }) => id)).toEqual([0, 1]);
  });

  test('draws a straight link along a row and a bent one between rows', () => {
    const { links } = layOutTree(treeOf(3), SIZE);
    expect(linkPath(links[0])).toBe('M0 10H100');
    expect(linkPath(links[1])).toBe('M0 10Q10 10 10 20V20Q10 30 20 30H100');
  });
});
