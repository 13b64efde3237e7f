import { linkedFile, withoutLinkedFile } from '../../src/store/place/linked_file.ts';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { createStore } from 'zustand/vanilla';
import { createLab } from '../../src/store/lab/lab.ts';
import { NO_KEEPER } from '../../src/store/lab/kept.ts';
import { decodeSelection, encodeSelection, mirrorSelection } from '../../src/store/place/address.ts';
import {
  createSelectionStore,
  INITIAL_SELECTION,
  withReward,
  type Selection,
} from '../../src/store/place/selection.ts';
import { EMPTY_RUN, type RunState, type UpdateState } from '../../src/store/record/run_state.ts';
import { nodeId } from '../../src/units.ts';

const FULL: Selection = {
  lesson: 'averaging',
  experiment: 'shipped grpo, at2po',
  lessonStep: 2,
  example: '0.2(=1,=-0.5),0.5=0',
  run: { method: 'at2po', preset: 'a,b', seed: 4294967295, settings: '0123abcd', adapter: 'ffffffff' },
  recipe: [
    { path: 'optimiser.learningRate', value: 0.001 },
    { path: 'datasets', value: ['hotpot', 'a;b:c&d=e'] },
  ],
  view: 'loss',
  update: 12,
  prompt: 3,
  node: nodeId(5),
  leaf: nodeId(7),
  token: 40,
  creditFrame: 6,
  stride: 'level',
  predict: 'ranking',
  hands: true,
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
  colour: 'value',
  batch: true,
  beside: true,
  find: { text: 'a, b & 50 % +<c>', tag: 'search', reward: 'correct', low: 0.25, high: null },
  tokenColour: 'log-ratio',
  clip: { low: 0.0003, high: 0.25 },
  compared: 'runs',
  onlyPath: true,
  folds: { collapsed: [nodeId(3), nodeId(12)], opened: [nodeId(0)], unstacked: true },
  shading: 'surprisal',
  wholePath: true,
  filter: { status: 'live', dataset: 'a,b', reward: 'wrong' },
  order: 'disagreement',
  sign: 'all-dead',
  round: 0,
  expansionRule: { siblingPenalty: 0.5, picks: 3, expansion: 'random' },
  hovered: null,
  placed: false,
  ignored: [],
};

/**
 * A selection mirrored to a bar that notes what is written; time stands still but for `wait`.
 * @param count of updates that the run has at first
 */
function mirrored(count = 0) {
  vi.useFakeTimers();
  const run = createStore<RunState>(() => EMPTY_RUN);
  const newest = (updates: number): void =>
    run.setState({ updates: Array.from({ length: updates }, () => null as unknown as UpdateState) }); // only counted
  newest(count);
  const writes: string[] = [];
  const store = createSelectionStore();
  const location = { hash: '', pathname: '/lab/', search: '?x=1' };
  const note = (how: string) => (_data: unknown, _unused: string, url: string) => {
    writes.push(`${how} ${url}`);
    location.hash = url.slice(url.indexOf('#'));
  };
  const history = { replaceState: note('replace'), pushState: note('push') };
  const stop = mirrorSelection(store, { location, history }, { run });
  return { store, writes, location, stop, newest, wait: (ms: number) => void vi.advanceTimersByTime(ms) };
}

afterEach(() => void vi.useRealTimers());

describe('the address', () => {
  test('carries every field there and back', () => {
    expect(encodeSelection(FULL)).toBe(
      '#v1&lesson=averaging&step=2&example=0.2(=1,=-0.5),0.5=0&run=at2po,a%2Cb,4294967295,0123abcd,ffffffff&set=optimiser.learningRate:0.001;datasets:%5B%22hotpot%22%2C%22a%3Bb%3Ac%26d%3De%22%5D&view=loss&update=12&prompt=3&node=5&leaf=7&token=40&phase=6&stride=level&predict=ranking&hands=1&growth=0' +
        '&valueRule=leaf_mean&advantageRule=diff_parent&againstValue=child_mean&againstAdvantage=rloo&leafNormalisation=0&whatIf=3:-1,7:0.5&pinned=2.5.9' +
        '&colour=value&batch=1&beside=1&find=a%2C%20b%20%26%2050%20%25%20%2B%3Cc%3E,search,correct,0.25,' +
        '&tokens=log-ratio&clip=0.0003,0.25&compare=runs&experiment=shipped%20grpo%2C%20at2po&onlyPath=1&folds=3.12,0,1&words=surprisal&wholePath=1' +
        '&filter=live,a%2Cb,wrong&order=disagreement&sign=all-dead&round=0&expandBy=0.5,3,random',
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

  test('ignores other versions and malformed fields, and names them', () => {
    expect(decodeSelection('#v9&view=tree')).toEqual({ ...INITIAL_SELECTION, ignored: ['#v9&view=tree'] });
    expect(decodeSelection('#v1&view=nowhere&update=-3&node=x&pinned=1.2&prompt=4')).toEqual({
      ...INITIAL_SELECTION,
      prompt: 4,
      ignored: ['view=nowhere', 'update=-3', 'node=x', 'pinned=1.2'],
    });
  });

  test.each([
    ['tokens=red'],
    ['lesson=../x'],
    ['step=-1'],
    ['example=0.2(=1'],
    ['example=0.2=1,'],
    ['example=99=1'],
    ['clip=0.1'],
    ['clip=0.1,2'],
    ['compare=cats'],
    ['onlyPath=yes'],
    ['folds=1.x,,0'],
    ['folds=1,2'],
    ['words=loud'],
    ['filter=alive,,'],
    ['filter=%,,'],
    ['round=-1'],
    ['expandBy=0.5,2.5,entropy'],
    ['expandBy=0.5,2,hope'],
    ['whatIf=3:one'],
    ['phase=loss'],
    ['run=at2po,instant,7'],
    ['run=at2po,instant,-1,0123abcd,0123abcd'],
    ['run=at2po,instant,7,0123abcd,nothexad'],
  ])('leaves out %s and keeps the rest', (part) => {
    expect(decodeSelection(`#v1&view=tree&${part}&prompt=2`)).toEqual({
      ...INITIAL_SELECTION,
      view: 'tree',
      prompt: 2,
      ignored: [part],
    });
  });

  test('what was left out is told until it is dismissed, and is not written back', () => {
    const store = createSelectionStore(decodeSelection('#v1&view=tree&tokens=red'));
    store.select({ prompt: 1 });
    expect(store.getState().ignored).toEqual(['tokens=red']);
    expect(encodeSelection(store.getState())).toBe('#v1&view=tree&prompt=1');
    expect(encodeSelection({ ...FULL, ignored: ['x'] })).toBe(encodeSelection(FULL));
  });

  test('a link of before opens as it did, in any order of fields', () => {
    expect(decodeSelection('#v1&whatIf=7:0.5,3:-1&colour=value&view=credit&creditFrame=4')).toEqual({
      ...INITIAL_SELECTION,
      creditFrame: 4,
      view: 'credit',
      colour: 'value',
      whatIf: FULL.whatIf,
    });
  });

  test('drops a search that is malformed', () => {
    for (const find of ['a,b', '%,,,,', 'a,b,c,d,e,f'])
      expect(decodeSelection(`#v1&find=${find}`).find).toBe(null);
    expect(decodeSelection('#v1&find=,,,low,2').find).toEqual({
      text: '',
      tag: '',
      reward: '',
      low: null,
      high: 2,
    });
  });

  test('is written at once for many changes, and again when the delay is over: a reload finds the last place', () => {
    const { store, writes, wait, stop } = mirrored();
    store.select({ view: 'tree' });
    store.select({ update: 4 });
    wait(0);
    expect(writes).toEqual(['push /lab/?x=1#v1&view=tree&update=4']);
    store.select({ update: 5 });
    store.select({ update: 6 });
    wait(399);
    expect(writes).toHaveLength(1);
    wait(1);
    expect(writes.slice(1)).toEqual(['push /lab/?x=1#v1&view=tree&update=6']);
    wait(400);
    store.select({ update: 7 });
    wait(0);
    expect(writes).toHaveLength(3);
    stop();
    store.select({ update: 8 });
    wait(1000);
    expect(writes).toHaveLength(3);
  });

  test('of a run that goes on after a reload is followed, where it followed before; of a link it stays', () => {
    const keeping = { keeper: NO_KEEPER, tab: { get: () => null, set: () => undefined } };
    const opened = (follows: boolean) =>
      createLab(
        () => undefined,
        '#v1&view=tree&newest=2',
        undefined,
        null,
        {},
        { ...keeping, follows },
      ).selection.getState();
    expect(opened(true)).toMatchObject({ view: 'tree', update: null, ignored: [] });
    expect(opened(false)).toMatchObject({ view: 'tree', update: 2, ignored: [] });
  });

  test('adds a step of history for a place, none for a cursor, and one for moves that follow fast', () => {
    const { store, writes, wait, stop } = mirrored();
    store.select({ view: 'credit' });
    wait(450);
    store.select({ creditFrame: 3 });
    wait(450);
    store.select({ update: 2 });
    wait(450);
    store.select({ update: 3 });
    wait(450);
    wait(2000);
    store.select({ update: 4 });
    wait(450);
    expect(writes.map((line) => line.replace('/lab/?x=1#v1&view=credit', ''))).toEqual([
      'push ',
      'replace &phase=3',
      'push &update=2',
      'replace &update=3',
      'push &update=4',
    ]);
    stop();
  });

  test('adds nothing for a colour, a clip band or a filter, and a step for another subject', () => {
    const { store, writes, wait, stop } = mirrored();
    store.select({ view: 'compare' });
    wait(450);
    store.select({ tokenColour: 'weight', clip: { low: 0.1, high: 0.2 } });
    wait(450);
    store.select({ compared: 'runs' });
    wait(450);
    expect(writes.map((line) => line.split(' ')[0])).toEqual(['push', 'replace', 'push']);
    stop();
  });

  test('writes nothing when the browser went back and the selection followed', () => {
    const { store, writes, wait, location, stop } = mirrored();
    store.select({ view: 'tree' });
    wait(450);
    location.hash = '';
    store.setState(decodeSelection(''), true);
    wait(450);
    expect(writes).toHaveLength(1);
    store.select({ view: 'tree' });
    wait(2000);
    expect(writes[1]).toBe('push /lab/?x=1#v1&view=tree');
    stop();
  });
});

describe('the newest update', () => {
  test('is where a link opens, and the history of the page goes on following it', () => {
    const { store, location, wait, stop, newest } = mirrored(12);
    store.select({ view: 'credit', prompt: 1 });
    wait(450);
    expect(location.hash).toBe('#v1&view=credit&prompt=1&newest=12');
    newest(13);
    wait(450);
    expect(location.hash).toBe('#v1&view=credit&prompt=1&newest=13');
    expect(decodeSelection(location.hash)).toMatchObject({ update: 13, prompt: 1, ignored: [] });
    expect(decodeSelection(location.hash, true)).toMatchObject({ update: null, prompt: 1, ignored: [] });
    expect(decodeSelection('#v1&newest=x')).toMatchObject({ update: null, ignored: ['newest=x'] });
    stop();
  });

  test('is written once, replaces the entry, and stays away from Train and from an update that was chosen', () => {
    const { store, writes, wait, stop, newest } = mirrored(2);
    newest(3);
    wait(450);
    expect(writes).toEqual([]);
    store.select({ view: 'tree' });
    wait(450);
    newest(4);
    newest(5);
    wait(450);
    wait(2000);
    store.select({ update: 5 });
    wait(450);
    newest(6);
    wait(450);
    expect(writes.map((line) => line.replace('/lab/?x=1#v1&view=tree', ''))).toEqual([
      'push &newest=3',
      'replace &newest=5',
      'push &update=5',
    ]);
    stop();
  });
});

describe('selecting', () => {
  test('a new prompt forgets node, leaf, token and cursors', () => {
    const store = createSelectionStore(FULL);
    store.select({ prompt: 4 });
    expect(store.getState()).toEqual({ ...FULL, prompt: 4, node: null, leaf: null, token: null, creditFrame: 0, growth: null, whatIf: [], round: null, folds: INITIAL_SELECTION.folds }); // prettier-ignore
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

test('an address asks for a run file of its own origin only', () => {
  const at = (run: string): string | undefined =>
    linkedFile(`https://lab.example/credit/?run=${encodeURIComponent(run)}#v1&view=tree`)?.href;
  expect(at('')).toBe(undefined);
  expect(linkedFile('https://lab.example/#v1&run=a,b,1,00000000,00000000')).toBe(null);
  expect(at('runs/one.turnwise')).toBe('https://lab.example/credit/runs/one.turnwise');
  expect(at('/one.turnwise#x')).toBe('https://lab.example/one.turnwise');
  for (const run of [
    'https://other.example/one.turnwise',
    '//other.example/one',
    'http://lab.example/one',
    'https://lab.example.evil/',
    'https://me:pw@lab.example/one',
    'blob:https://lab.example/1',
    'data:,x',
    'javascript:alert(1)',
    'https://[',
  ])
    // prettier-ignore
    expect(() => at(run), run).toThrow(/cannot be opened[^]*an address on https:\/\/lab\.example/);
  expect(withoutLinkedFile('?run=one&x=1')).toBe('?x=1');
  expect(withoutLinkedFile('?run=one')).toBe('');
});
