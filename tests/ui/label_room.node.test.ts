/** Labels of the tree have room, or say less as a whole: never a part of a number. */
import { expect, test } from 'vitest';
import { keyedRandom } from '../../src/algo/random.ts';
import { ROOT, nodeId, type TurnNode } from '../../src/units.ts';
import { layOutTree } from '../../src/ui/drawing/tree_layout.ts';
import { RADIUS } from '../../src/ui/drawing/drawn_tree.ts';
import {
  LABEL_START,
  labelRoom,
  leastColumn,
  nodeText,
  type Measure,
} from '../../src/ui/drawing/label_room.ts';

const PX = { name: 7, label: 8, small: 6 } as const; // a letter
const measure: Measure = (text, role) => text.length * PX[role];

test('with room both the name and the number stand there', () => {
  expect(nodeText(nodeId(12), '−0.57', [], 80, measure)).toEqual({ name: 'n12', label: '−0.57', note: '', isShort: false }); // prettier-ignore
});

test('without room for both the number keeps all its digits, without room for it there are dots', () => {
  expect(nodeText(nodeId(12), '−0.57', [], 60, measure)).toMatchObject({ name: '', label: '−0.57', isShort: true }); // prettier-ignore
  expect(nodeText(nodeId(12), '−0.57', [], 39, measure)).toMatchObject({ name: '', label: '…', isShort: true }); // prettier-ignore
  expect(nodeText(nodeId(12), '', [], 20, measure)).toMatchObject({ name: '', label: '…' });
});

test('a note says the first of its forms that has room', () => {
  const notes = ['observation edited ▸ 3 hidden', 'edited', '▸ 3 hidden'];
  expect(nodeText(nodeId(1), '', notes, 200, measure)).toMatchObject({ note: notes[0], isShort: false });
  expect(nodeText(nodeId(1), '', notes, 40, measure)).toMatchObject({ note: 'edited', isShort: true });
  expect(nodeText(nodeId(1), '', notes, 20, measure)).toMatchObject({ note: '…', isShort: true });
});

const made = (id: number, parent: number | null, children: readonly number[], iteration = -1): TurnNode =>
  ({
    ...{ id: nodeId(id), parent: parent === null ? null : nodeId(parent), children: children.map(nodeId) },
    origin: iteration < 0 ? { kind: 'initial' } : { kind: 'expansion', iteration },
  }) as unknown as TurnNode; // what a label reads of a node

test('a usual label has room before the next node at the least width of a column, and not at less', () => {
  const nodes = [made(0, null, [1]), made(1, 0, [])];
  const label = 'A −0.57↑';
  const columnWidth = leastColumn(99, label, measure);
  const roomAt = (width: number): number => {
    const layout = layOutTree(nodes, { columnWidth: width, rowHeight: 30 });
    return labelRoom(layout, layout.byId.get(ROOT)!, nodes, measure);
  };
  expect(nodeText(ROOT, label, [], roomAt(columnWidth), measure).isShort).toBe(false);
  expect(nodeText(ROOT, label, [], roomAt(columnWidth - 2), measure).isShort).toBe(true);
});

test('on random trees no label reaches the next node of its row, its ring or its badge', () => {
  const random = keyedRandom({ seed: 7, update: 0 }, 1, 2);
  for (let round = 0; round < 200; round += 1) {
    const parents = Array.from({ length: 30 }, (_, index) => (index === 0 ? null : random.integer(index)));
    const nodes = parents.map(
      (parent, id) =>
      made(id, parent, parents.flatMap((of, child) => (of === id ? [child] : [])), random.integer(4) - 1), // prettier-ignore
    );
    const layout = layOutTree(nodes, { columnWidth: 60 + random.integer(100), rowHeight: 30 });
    for (const place of layout.nodes) {
      const { name, label } = nodeText(place.id, '+12.34'.slice(0, random.integer(7)), [], labelRoom(layout, place, nodes, measure), measure); // prettier-ignore
      if (label === '…') continue; // the least that can be said
      const end = place.x + LABEL_START + measure(name, 'name') + measure(label, 'label');
      for (const other of layout.nodes)
        if (other.row === place.row && other.column > place.column)
          expect(end).toBeLessThanOrEqual(other.x - RADIUS - 4);
    }
  }
});
