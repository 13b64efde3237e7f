/** A file that is larger than what the page holds: every step is looked at, read back by its lines when it is chosen, and let go after. */
import { expect, test } from 'vitest';
import { openBundle, writeBundle } from '../../src/files/bundle.ts';
import { readRecording, writeRecording } from '../../src/files/recording.ts';
import { importAsRecord, lookAt } from '../../src/files/rollouts/look.ts';
import { conversationOf } from '../../src/store/record/conversation.ts';
import { joinerOf } from '../../src/store/record/reading.ts';
import { createLab, type Lab } from '../../src/store/lab/lab.ts';
import type { ImportTools } from '../../src/store/lab/imports.ts';
import { NO_KEEPER, NO_TAB } from '../../src/store/lab/kept.ts';
import { ROOT } from '../../src/units.ts';

const HELD_BYTES = 1200; // four groups
const [STEPS, GROUPS, ROLLOUTS] = [4, 3, 2];

const row = (step: number, group: number, at: number): string =>
  JSON.stringify({
    input: `user\nQuestion ${group} of step ${step}\nassistant\n`,
    output: `a${step} b${group} c${at} ${'word '.repeat(30)}`,
    ...{ gts: 'x', score: at, step },
  });
const TEXT = Array.from({ length: STEPS }, (_, step) =>
  Array.from({ length: GROUPS }, (_, group) =>
    Array.from({ length: ROLLOUTS }, (_, at) => row(step + 1, group, at)),
  ),
)
  .flat(2)
  .join('\n');

/** A lab that reads files; `asked` grows with what is read of which lines. */
function openLab() {
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
  const keeping = { keeper: NO_KEEPER, tab: NO_TAB, tools };
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

test('a turn of a step that was read back is not split by hand, and the page says why', async () => {
  const { lab } = openLab();
  await lab.imports.open(FILES);
  lab.selection.select({ update: 4 });
  await expect.poll(() => saidIn(lab, 4)).toEqual(wanted(4));
  const [leaf] = lab.run.getState().updates[3].trees[0].leaves;
  await lab.reshaping.split(leaf, leaf);
  expect(lab.run.getState().failure?.got).toBe('a step that was read back from its file');
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
