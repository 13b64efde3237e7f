/** A file that is larger than what the page holds: every step is looked at, read back by its lines when it is chosen, and let go after. */
import { expect, test } from 'vitest';
import { openBundle, writeBundle } from '../../src/files/bundle.ts';
import { readRecording, writeRecording } from '../../src/files/recording.ts';
import { importAsRecord, lookAt } from '../../src/files/rollouts/look.ts';
import { conversationOf } from '../../src/store/record/conversation.ts';
import { joinerOf } from '../../src/store/record/reading.ts';
import { createLab, type Keeping, type Lab } from '../../src/store/lab/lab.ts';
import type { ImportTools } from '../../src/store/lab/imports.ts';
import { NO_KEEPER, NO_TAB } from '../../src/store/lab/kept.ts';
import { elsewhereWords } from '../../src/store/record/import_advice.ts';
import { Keeper } from '../../src/keep/keeper.ts';
import { jsonLines } from '../../src/store/export/run_export.ts';
import { nodeId, ROOT } from '../../src/units.ts';
import { keeperEnd, MemoryDisk, memoryEntries, memoryLocks } from '../support/memory_disk.ts';

const HELD_BYTES = 1200; // four groups
const [STEPS, GROUPS, ROLLOUTS] = [4, 3, 2];

type Words = (step: number, group: number, at: number) => string;

const textOf = (output: Words): string => {
  const rows = Array.from({ length: STEPS * GROUPS * ROLLOUTS }, (_, row) => {
    const [at, group, step] = [row % ROLLOUTS, Math.floor(row / ROLLOUTS) % GROUPS, 1 + Math.floor(row / ROLLOUTS / GROUPS)]; // prettier-ignore
    const input = `user\nQuestion ${group} of step ${step}\nassistant\n`;
    return JSON.stringify({ input, output: output(step, group, at), gts: 'x', score: at, step });
  });
  return rows.join('\n');
};
const TEXT = textOf((step, group, at) => `a${step} b${group} c${at} ${'word '.repeat(30)}`);
/** Rows that begin with the same call, and part after its result. */
const SHARED = textOf((step, group, at) => `look up ${group}${' word'.repeat(30)}\nuser\n<tool_response>\nfound\n</tool_response>\nassistant\nanswer ${step} ${at}`); // prettier-ignore

/** A lab that reads files; `asked` grows with what is read of which lines. @param kept what this browser has, over several pages */
function openLab(kept: Pick<Keeping, 'keeper' | 'tab'> = { keeper: NO_KEEPER, tab: NO_TAB }) {
  const asked: (readonly number[])[] = [];
  const gate = { wait: Promise.resolve() };
  const importRollouts: ImportTools['importRollouts'] = async (files, choices, hooks) => {
    if (files[0].only) {
      asked.push(files[0].only.ranges);
      await Promise.race([gate.wait, new Promise((_, reject) => hooks.signal.addEventListener('abort', () => reject(hooks.signal.reason as Error)))]); // prettier-ignore
    }
    return importAsRecord(files, choices, hooks, HELD_BYTES);
  };
  const tools = { openBundle, writeBundle, writeLog: writeRecording, importRollouts, lookAtRollouts: lookAt };
  const keeping = { ...kept, tools };
  const lab = createLab(
    () => undefined,
    '',
    (file) => readRecording(file),
    null,
    {},
    keeping,
  );
  return { lab, asked, gate };
}

const FILES = [{ path: 'long.jsonl', blob: new Blob([TEXT]) }];

const saidIn = ({ run }: Lab, update: number): readonly string[] => {
  const state = run.getState();
  const words = { texts: state.texts, joiner: joinerOf(state) };
  return state.updates[update - 1].trees.flatMap((tree) =>
    tree.leaves.map((leaf) =>
      conversationOf(tree, leaf, words)
        .map(({ author, text }) => `${author}: ${text.trim()}`)
        .join(' | '),
    ),
  );
};
const wanted = (step: number): readonly string[] =>
  Array.from({ length: GROUPS * ROLLOUTS }, (_, at) => {
    const [group, own] = [Math.floor(at / ROLLOUTS), at % ROLLOUTS];
    return `user: Question ${group} of step ${step} | policy: a${step} b${group} c${own} ${'word '.repeat(30).trim()}`;
  });

test('a step that is not held is read back when it is chosen, and goes when another is', async () => {
  const { lab, asked } = openLab();
  await lab.imports.open(FILES);
  expect(lab.imports.getState().news).toMatchObject({ rollouts: 24, held: 8, rest: { inFile: true } });
  const before = lab.run.getState();
  expect(before.updates.map(({ elsewhere }) => elsewhere?.groups ?? 0)).toEqual([0, 2, 3, 3]);
  expect(saidIn(lab, 1)).toEqual(wanted(1));
  expect(asked).toEqual([]);
  for (const update of [4, 2, 3]) {
    lab.selection.select({ update });
    await expect.poll(() => lab.run.getState().updates[update - 1].elsewhere).toBeUndefined();
    expect(saidIn(lab, update)).toEqual(wanted(update));
  }
  lab.selection.select({ update: 1 });
  await expect.poll(() => lab.run.getState().updates).toEqual(before.updates); // and no more
  expect(lab.run.getState().texts).toEqual(before.texts);
  expect(asked.map(({ length }) => length)).toEqual([3, 3, 3]); // one range of lines a step
});

test('a pinned step stays beside the chosen one, each in its words', async () => {
  const { lab } = openLab();
  await lab.imports.open(FILES);
  lab.selection.select({ update: 3 });
  await expect.poll(() => saidIn(lab, 3)).toEqual(wanted(3));
  lab.selection.select({ pinned: { update: 3, prompt: 0, node: ROOT } });
  for (const update of [4, 2, 4]) {
    lab.selection.select({ update });
    await expect.poll(() => saidIn(lab, update)).toEqual(wanted(update));
    expect(saidIn(lab, 3)).toEqual(wanted(3));
  }
});

test('reading a step back is left by the person, or for another step, and is not begun again unasked', async () => {
  const { lab, asked, gate } = openLab();
  await lab.imports.open(FILES);
  gate.wait = new Promise(() => undefined);
  lab.selection.select({ update: 4 });
  await expect.poll(() => lab.imports.getState().back?.state).toBe('reading');
  await expect.poll(() => asked.length).toBe(1);
  lab.imports.stopReadingBack();
  await expect.poll(() => lab.imports.getState().back).toMatchObject({ update: 4, state: 'stopped' });
  lab.selection.select({ view: 'credit' });
  expect(asked.length).toBe(1);
  lab.imports.readBack(4);
  await expect.poll(() => asked.length).toBe(2);
  lab.selection.select({ update: 3 }); // leaves it
  await expect.poll(() => lab.imports.getState().back).toMatchObject({ update: 3, state: 'reading' });
  gate.wait = Promise.resolve();
  lab.imports.stopReadingBack();
  await expect.poll(() => lab.imports.getState().back?.state).toBe('stopped');
  lab.imports.readBack(3);
  await expect.poll(() => saidIn(lab, 3)).toEqual(wanted(3));
  expect(saidIn(lab, 4)).toEqual([]);
});

test('a file that is not as it was when it was opened is said so', async () => {
  const { lab } = openLab();
  const file = { path: 'long.jsonl', blob: new Blob([TEXT]) };
  await lab.imports.open([file]);
  file.blob = new Blob([TEXT.replaceAll('Question', 'Another')]);
  lab.selection.select({ update: 4 });
  await expect.poll(() => lab.imports.getState().back?.state).toMatchObject({ got: 'other lines than before', where: 'long.jsonl' }); // prettier-ignore
  expect(saidIn(lab, 4)).toEqual([]);
});

test('wanted steps are read one after another, and one that is wanted no more is not begun', async () => {
  const { lab } = openLab();
  await lab.imports.open(FILES);
  const begun: number[] = [];
  lab.run.readFrom((update, signal) => {
    begun.push(update);
    return new Promise((resolve) => signal.addEventListener('abort', () => resolve(null)));
  });
  const first = lab.run.want([4, 3]);
  void lab.run.want([4, 3]); // as another selection asks
  await new Promise((resolve) => setTimeout(resolve));
  expect(begun).toEqual([4]);
  void lab.run.want([2]);
  await first;
  expect(begun).toEqual([4, 2]);
});

test('a step that was read back is exported as it is on screen', async () => {
  const { lab } = openLab();
  await lab.imports.open(FILES);
  const exported = async (kind: 'nodes' | 'traces'): Promise<string> => {
    let text = '';
    for await (const part of jsonLines(lab.run, kind, 4)) text += part;
    return text;
  };
  expect(await exported('traces')).toBe('');
  expect(await exported('nodes')).toContain(
    '"notHeld":"3 groups of 6 rollouts, which stand in the file alone"',
  );
  lab.selection.select({ update: 4 });
  await expect.poll(() => saidIn(lab, 4)).toEqual(wanted(4));
  const rows = (await exported('traces')).trimEnd().split('\n');
  expect(rows).toHaveLength(GROUPS * ROLLOUTS);
  rows.forEach((row, at) => {
    const said = wanted(4)[at].split(' | policy: ')[1];
    expect(row).toContain(said);
  });
  const nodes = await exported('nodes');
  expect(nodes).toContain('"notHeld":"nothing"');
  expect(nodes).toContain('a4 b2 c1');
});

const SHARED_FILES = [{ path: 'shared.jsonl', blob: new Blob([SHARED]) }];
const treesOf = ({ run }: Lab, update: number) => run.getState().updates[update - 1].trees;
const shapeOf = (lab: Lab, update: number) => treesOf(lab, update).map(({ nodes }) => nodes.map((node): number | null => node!.parent)); // prettier-ignore
const restOf = ({ run, reshaping }: Lab, update: number, isAtHand: boolean): string => {
  const { elsewhere } = run.getState().updates[update - 1];
  const changes = reshaping.getState().changes.filter((change) => change.record === run.shown() && change.update === update).length; // prettier-ignore
  return elsewhereWords({ update, file: 'shared.jsonl', elsewhere: elsewhere!, isAtHand, changes });
};

test('what a person splits in a step that was read back stands when it is read again, and can be taken back at any time', async () => {
  const { lab } = openLab();
  await lab.imports.open(SHARED_FILES);
  const at = async (update: number): Promise<void> => {
    lab.selection.select({ update });
    await expect.poll(() => treesOf(lab, update).length).toBe(GROUPS);
    await expect.poll(() => lab.run.getState().updates[update - 1].elsewhere).toBeUndefined();
  };
  await at(4);
  const whole = shapeOf(lab, 4);
  expect(whole[1]).toEqual([null, 0, 1, 1]); // two rows that share their first turn
  const [, leaf] = treesOf(lab, 4)[1].leaves;
  lab.selection.select({ prompt: 1, node: leaf, leaf });
  await lab.reshaping.split(nodeId(1), leaf);
  const split = [null, 0, 1, 0, 3];
  expect(shapeOf(lab, 4)).toEqual(whole.with(1, split));
  await at(3);
  expect(shapeOf(lab, 3)).toEqual(whole);
  expect(restOf(lab, 4, true)).toBe('3 groups (6 rollouts) of update 4 stand in shared.jsonl alone. 1 change of its trees by hand is kept, and made again when they are read.'); // prettier-ignore
  await at(4);
  expect(shapeOf(lab, 4)).toEqual(whole.with(1, split));
  const words = new Set(treesOf(lab, 4)[1].nodes.flatMap((node) => node!.tokens.map((id) => lab.run.getState().texts[id].trim()))); // prettier-ignore
  expect(words.has('found')).toBe(true); // in the record's words, wherever they stand now
  lab.reshaping.undo();
  expect(shapeOf(lab, 4)).toEqual(whole);
  await lab.reshaping.split(nodeId(1), leaf);
  await at(3);
  lab.reshaping.undo(); // while the step stands in its file
  await at(4);
  expect(shapeOf(lab, 4)).toEqual(whole);
  expect(lab.run.getState().failure).toBe(null);
});

test('of a step that is held in part nothing is split: the places of its trees are those of the whole', async () => {
  const { lab, gate } = openLab();
  await lab.imports.open(SHARED_FILES);
  gate.wait = new Promise(() => undefined);
  const update = lab.run.getState().updates.findIndex(({ elsewhere, trees }) => elsewhere && trees.length > 0) + 1; // prettier-ignore
  lab.selection.select({ update, prompt: 0 });
  const before = lab.run.getState().updates;
  await lab.reshaping.split(nodeId(1), treesOf(lab, update)[0].leaves[1]);
  expect(lab.run.getState().failure?.got).toBe('a step of which a part stands in its file alone');
  expect(lab.run.getState().updates).toEqual(before);
  lab.imports.stopReadingBack();
});

test('a split in a large import is kept over a reload: without the file the page says that it waits, with the file it is made again', async () => {
  const keeper = new Keeper({ disk: new MemoryDisk(), table: memoryEntries(), locks: memoryLocks() });
  const here = { keeper: keeperEnd(keeper), tab: NO_TAB };
  const { lab: one } = openLab(here);
  await one.imports.open(SHARED_FILES);
  one.selection.select({ update: 4 });
  await expect.poll(() => treesOf(one, 4).length).toBe(GROUPS);
  const [, leaf] = treesOf(one, 4)[2].leaves;
  one.selection.select({ prompt: 2, node: leaf, leaf });
  await one.reshaping.split(nodeId(1), leaf);
  const split = shapeOf(one, 4);
  const [{ id }] = one.kept.getState().entries;
  await expect.poll(async () => (await keeper.list())[0].edits?.length).toBe(1);
  keeper.release(id);

  const { lab: two } = openLab(here);
  await two.kept.refresh();
  await two.kept.show(id);
  two.selection.select({ update: 4 });
  await two.run.want([4]);
  expect(two.imports.filesOf(two.run.shown())).toBe(null);
  expect(restOf(two, 4, false)).toBe('3 groups (6 rollouts) of update 4 stand in shared.jsonl alone. The page keeps no files: open the file again to look at them. 1 change of its trees by hand is kept, and made again when they are read.'); // prettier-ignore
  await two.imports.open(SHARED_FILES);
  two.selection.select({ update: 4 });
  await expect.poll(() => treesOf(two, 4).length).toBe(GROUPS);
  expect(shapeOf(two, 4)).toEqual(split);
  two.reshaping.undo();
  expect(shapeOf(two, 4)[2]).toEqual([null, 0, 1, 1]);
  await expect.poll(async () => (await keeper.list())[0].edits).toEqual([]);
  expect(two.run.getState().failure).toBe(null);
});

test('a record that is saved and opened without its file has what was held, and says how much stood in the file', async () => {
  const { lab } = openLab();
  await lab.imports.open(FILES);
  const events = [];
  for await (const event of lab.run.log()) events.push(event);
  const { lab: other } = openLab();
  await other.files.open(
    Object.assign(new Blob([await writeRecording(events)]), { name: 'saved.ndjson.gz' }),
  );
  const { updates } = other.run.getState();
  expect(updates.map(({ elsewhere }) => elsewhere?.rollouts ?? 0)).toEqual([0, 4, 6, 6]);
  expect(saidIn(other, 1)).toEqual(wanted(1));
  other.selection.select({ update: 4 });
  await other.run.want([4]);
  expect(saidIn(other, 4)).toEqual([]);
  expect(other.imports.filesOf(other.run.shown())).toBe(null);
});

test('a file that is opened twice is one row, and is shown again as it was', async () => {
  const { lab } = openLab();
  await lab.imports.open(FILES);
  const first = lab.run.shown();
  await lab.imports.open([{ path: 'other.jsonl', blob: new Blob([TEXT.slice(0, TEXT.length / 2)]) }]);
  expect(lab.run.shown()).not.toBe(first);
  await lab.imports.open([{ path: 'long.jsonl', blob: new Blob([TEXT]) }]);
  expect(lab.run.shown()).toBe(first);
  expect(lab.shelf.getState().runs).toHaveLength(2);
  lab.selection.select({ update: 4 });
  await expect.poll(() => saidIn(lab, 4)).toEqual(wanted(4));
});
