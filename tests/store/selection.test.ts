import { describe, expect, test, vi } from 'vitest';
import { decodeSelection, encodeSelection, mirrorSelection } from '../../src/store/address.ts';
import {
  createSelectionStore,
  INITIAL_SELECTION,
  withReward,
  type Selection,
} from '../../src/store/selection.ts';
import { nodeId } from '../../src/units.ts';

const FULL: Selection = {
  view: 'loss',
  update: 12,
  prompt: 3,
  node: nodeId(5),
  leaf: nodeId(7),
  token: 40,
  creditFrame: 6,
  growth: 0,
  valueRule: 'leaf_mean',
  advantageRule: 'diff_parent',
  leafNormalisation: false,
  againstValue: 'child_mean',
  againstAdvantage: 'rloo',
  whatIf: [
    { leaf: nodeId(3), reward: -1 },
    { leaf: nodeId(7), reward: 0.5 },
  ],
  pinned: { update: 2, prompt: 5, node: nodeId(9) },
  hovered: null,
};

describe('the address', () => {
  test('carries every field there and back', () => {
    expect(encodeSelection(FULL)).toBe(
      '#v1&view=loss&update=12&prompt=3&node=5&leaf=7&token=40&creditFrame=6&growth=0' +
        '&valueRule=leaf_mean&advantageRule=diff_parent&againstValue=child_mean&againstAdvantage=rloo&leafNormalisation=0&whatIf=3:-1,7:0.5&pinned=2.5.9',
    );
    expect(decodeSelection(encodeSelection(FULL))).toEqual(FULL);
  });

  test('is empty for the defaults and gives them back', () => {
    expect(encodeSelection(INITIAL_SELECTION)).toBe('');
    expect(decodeSelection('')).toEqual(INITIAL_SELECTION);
  });

  test('leaves the preview out', () => {
    expect(encodeSelection({ ...INITIAL_SELECTION, hovered: nodeId(3) })).toBe('');
  });

  test('ignores other versions and malformed fields', () => {
    expect(decodeSelection('#v9&view=tree')).toEqual(INITIAL_SELECTION);
    expect(decodeSelection('#v1&view=nowhere&update=-3&node=x&pinned=1.2&prompt=4')).toEqual({
      ...INITIAL_SELECTION,
      prompt: 4,
    });
  });

  test('is written once for many changes, after the delay', () => {
    vi.useFakeTimers();
    const urls: string[] = [];
    const store = createSelectionStore();
    const location = { hash: '', pathname: '/lab/', search: '?x=1' };
    const stop = mirrorSelection(store, {
      location,
      history: { replaceState: (_data, _unused, url) => urls.push(url) },
    });
    store.select({ view: 'tree' });
    store.select({ update: 4 });
    vi.advanceTimersByTime(249);
    expect(urls).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(urls).toEqual(['/lab/?x=1#v1&view=tree&update=4']);
    stop();
    store.select({ update: 5 });
    vi.advanceTimersByTime(1000);
    expect(urls).toHaveLength(1);
    vi.useRealTimers();
  });
});

describe('selecting', () => {
  test('a new prompt forgets node, leaf, token and cursors', () => {
    const store = createSelectionStore(FULL);
    store.select({ prompt: 4 });
    expect(store.getState()).toEqual({ ...FULL, prompt: 4, node: null, leaf: null, token: null, creditFrame: 0, growth: null, whatIf: [] }); // prettier-ignore
  });

  test('the same prompt again forgets nothing', () => {
    const store = createSelectionStore(FULL);
    store.select({ prompt: 3, view: 'tree' });
    expect(store.getState()).toEqual({ ...FULL, view: 'tree' });
  });

  test('a new update with a node keeps the node given', () => {
    const store = createSelectionStore(FULL);
    store.select({ update: 13, node: nodeId(1) });
    expect(store.getState()).toMatchObject({ update: 13, node: 1, leaf: null });
  });

  test('a what-if reward is set, changed and taken back', () => {
    const one = withReward(withReward([], nodeId(7), 1), nodeId(3), 0);
    expect(one).toEqual([
      { leaf: 3, reward: 0 },
      { leaf: 7, reward: 1 },
    ]);
    expect(withReward(withReward(one, nodeId(7), -1), nodeId(3), null)).toEqual([{ leaf: 7, reward: -1 }]);
  });
});
