import { describe, expect, test } from 'vitest';
import {
  hitTest,
  homeCamera,
  lastChildren,
  placeAt,
  revealing,
  settled,
  treeWindow,
  wholeCamera,
  zoomedAt,
} from '../../src/ui/drawing/camera.ts';
import { layOutTree, type LayoutInput } from '../../src/ui/drawing/tree_layout.ts';
import { nodeId } from '../../src/units.ts';

const FRAME = { width: 800, height: 500 };
const SMALL = { width: 700, height: 400 };
const TALL = { width: 800, height: 20_000 };

describe('the camera', () => {
  test('opens a small drawing at its own size and a large one at the top, still readable', () => {
    expect(homeCamera(SMALL, FRAME)).toEqual({ x: 0, y: 0, zoom: 1 });
    expect(homeCamera(TALL, FRAME)).toEqual({ x: 0, y: 0, zoom: 0.6 });
  });

  test('zooming keeps what is under the pointer under it', () => {
    const camera = { x: 0, y: -5000, zoom: 1 };
    const point = { x: 300, y: 200 };
    const before = placeAt(camera, point);
    const after = placeAt(zoomedAt(camera, 1.7, point, TALL, FRAME), point);
    expect(after.x).toBeCloseTo(before.x, 9);
    expect(after.y).toBeCloseTo(before.y, 9);
  });

  test('never leaves the drawing, and keeps a small one whole in the frame', () => {
    expect(settled({ x: -9999, y: 9999, zoom: 1 }, TALL, FRAME)).toEqual({ x: 0, y: 0, zoom: 1 });
    expect(settled({ x: -50, y: 300, zoom: 1 }, SMALL, FRAME)).toEqual({ x: 0, y: 100, zoom: 1 });
    expect(settled({ x: 0, y: -1e6, zoom: 1 }, TALL, FRAME).y).toBe(500 - 20_000);
  });

  test('shows as much as two pixels a row allow', () => {
    expect(wholeCamera({ width: 1600, height: 1000 }, FRAME).zoom).toBe(0.5);
    expect(wholeCamera(TALL, FRAME).zoom).toBe(0.08);
  });

  test('brings a place into sight with the least movement and leaves one in sight alone', () => {
    const camera = { x: 0, y: 0, zoom: 1 };
    expect(revealing(camera, { x: 100, y: 250 }, TALL, FRAME, 60)).toEqual(camera);
    expect(revealing(camera, { x: 100, y: 700 }, TALL, FRAME, 60)).toEqual({ x: 0, y: -260, zoom: 1 });
  });
});

/** A random tree, children after parents. */
function randomTree(count: number, seed: number): LayoutInput[] {
  let state = seed;
  const random = (below: number) => (state = (state * 48271) % 2147483647) % below;
  const parents = Array.from({ length: count }, (_, id) =>
    id === 0 ? null : nodeId(random(Math.min(id, 400))),
  );
  const children = parents.map(() => [] as ReturnType<typeof nodeId>[]);
  parents.forEach((parent, id) => parent !== null && children[parent].push(nodeId(id)));
  return parents.map((parent, id) => ({ id: nodeId(id), parent, children: children[id] }));
}
const SIZE = { columnWidth: 100, rowHeight: 20 };

describe('a window on a layout', () => {
  test('holds exactly the nodes of its rows and every link that crosses it, for random windows', () => {
    for (let seed = 1; seed <= 20; seed += 1) {
      const layout = layOutTree(randomTree(600, seed * 7919), SIZE);
      const last = lastChildren(layout);
      const top = (seed * 37) % Math.max(1, layout.height - 200);
      const shown = treeWindow(layout, top, top + 200, (id) => last.get(id));
      const rows = (y: number) => y / SIZE.rowHeight;
      const [first, end] = [Math.floor(rows(top)) - 1, Math.ceil(rows(top + 200)) + 1];
      const inside = layout.nodes.filter(({ row }) => row >= first && row <= end);
      expect(shown.nodes.map(({ id }) => id)).toEqual(inside.map(({ id }) => id));
      // every pixel row of every crossing link is covered by a link shown from the same source
      for (const { source, target } of layout.links) {
        if (target.row < first || source.row > end) continue;
        const cover = shown.links.some(
          (link) => link.source.id === source.id && link.target.row >= Math.min(target.row, end + 1),
        );
        expect(cover).toBe(true);
      }
    }
  });

  test('finds the node under a place and nothing between nodes', () => {
    const layout = layOutTree(randomTree(300, 99), SIZE);
    for (const node of layout.nodes) expect(hitTest(layout, { x: node.x + 3, y: node.y - 2 }, 9)).toBe(node);
    expect(hitTest(layout, { x: 50, y: 10 }, 9)).toBe(null);
  });

  test('lays out a chain of ten thousand nodes with work that grows with their number', () => {
    let reads = 0; // of children: looking below every node anew would be a square of the depth
    const chain = Array.from({ length: 10_000 }, (_, id): LayoutInput => ({
      id: nodeId(id),
      parent: id === 0 ? null : nodeId(id - 1),
      get children() {
        reads += 1;
        return id === 9999 ? [] : [nodeId(id + 1)];
      },
    }));
    expect(layOutTree(chain, SIZE).columns).toBe(10_000); // deep: no recursion
    expect(reads).toBeLessThan(10 * chain.length);
  });
});

describe('stacks', () => {
  const fan = (count: number): LayoutInput[] => [
    { id: nodeId(0), parent: null, children: Array.from({ length: count }, (_, child) => nodeId(child + 1)) },
    ...Array.from({ length: count }, (_, child): LayoutInput => ({
      id: nodeId(child + 1),
      parent: nodeId(0),
      children: [],
    })),
  ];

  test('the younger siblings of a wide fan-out share one row, and one that joins them moves nothing', () => {
    const before = layOutTree(fan(14), { ...SIZE, folding: { stackBeyond: 8 } });
    expect(before.nodes.map(({ id }) => id)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    expect(before.stacks.map(({ row, children, nodeCount }) => [row, children.length, nodeCount])).toEqual([
      [8, 6, 6],
    ]);
    const after = layOutTree(fan(15), { ...SIZE, folding: { stackBeyond: 8 } });
    expect(after.nodes.map(({ row }) => row)).toEqual(before.nodes.map(({ row }) => row));
    expect(after.stacks[0].row).toBe(8);
  });

  test('open when asked, and show a revealed node outside', () => {
    const opened = layOutTree(fan(14), {
      ...SIZE,
      folding: { stackBeyond: 8, opened: new Set([nodeId(0)]) },
    });
    expect([opened.nodes.length, opened.stacks.length]).toEqual([15, 0]);
    const folding = { stackBeyond: 8, revealed: new Set([nodeId(12)]) };
    const revealed = layOutTree(fan(14), { ...SIZE, folding });
    expect(revealed.byId.get(nodeId(12))?.row).toBe(8);
    expect([revealed.stacks[0].row, revealed.stacks[0].children.length]).toEqual([9, 5]);
  });
});
