import { afterEach, expect, test } from 'vitest';
import { cleanup, render } from 'vitest-browser-react';
import type { EngineEvent } from '../../src/protocol/protocol.ts';
import { createLab } from '../../src/store/lab/lab.ts';
import { bestLeaf, rewardOf } from '../../src/store/record/reading.ts';
import { tellPath } from '../../src/store/record/told.ts';
import { formatSigned } from '../../src/ui/parts/format.ts';
import { App } from '../../src/ui/shell/App.tsx';
import { seriousFindings } from '../support/axe.ts';
import { scriptedLog } from '../support/scripted_lab.ts';

afterEach(() => cleanup());

test('a run that begins is told on its own first tree, until there are curves or the reader wants them', async () => {
  const log = await scriptedLog();
  const lab = createLab(() => undefined, '');
  const screen = await render(<App lab={lab} />);
  const story = () => screen.container.querySelector('.first-sight');
  expect([...story()!.querySelectorAll('li b')].map(({ textContent }) => textContent)).toEqual(['Question', 'Turn', 'Tool', 'Answer', 'Reward', 'Update']); // prettier-ignore
  lab.run.apply(
    log.slice(
      0,
      log.findIndex(({ kind }) => kind === 'step'),
    ),
  );
  const run = lab.run.getState();
  const [tree] = run.updates[0].trees;
  const leaf = bestLeaf(tree)!;
  const told = [...tellPath(run, tree, leaf).values()].flat();
  await expect.poll(() => story()?.textContent).toContain(told.at(-1)!.sentence);
  const text = story()!.textContent;
  if (told.length > 1) expect(text).toContain(told[0].sentence);
  expect(text).toContain(formatSigned(rewardOf(tree, leaf), 0));
  expect(await seriousFindings(screen.container)).toEqual([]);
  await screen.getByRole('button', { name: 'Show the curves' }).click();
  await expect.poll(story).toBeNull();
  await screen.getByRole('button', { name: 'What happens here?' }).click();
  await expect.poll(story).not.toBeNull();
});

test('of a first tree whose paths earned the same it is said that nothing is learnt from it', async () => {
  const log = await scriptedLog();
  const updateSaid = async (events: readonly EngineEvent[]): Promise<string> => {
    const lab = createLab(() => undefined, '');
    lab.run.apply(events.slice(0, events.findIndex(({ kind }) => kind === 'step'))); // prettier-ignore
    const screen = await render(<App lab={lab} />);
    const { textContent } = screen.container.querySelector('.first-sight li:last-child')!;
    await cleanup();
    return textContent;
  };
  const paid = (reward: (place: number) => number): readonly EngineEvent[] =>
    log.map((event) =>
      event.kind === 'rewards'
        ? { ...event, trees: event.trees.map((tree) => ({ ...tree, byNode: tree.byNode.map((paid, node) => (paid === null ? null : reward(node))) })) } // prettier-ignore
        : event,
    );
  expect(await updateSaid(paid(() => 0))).toContain('nothing is learnt from this question');
  expect(await updateSaid(paid((place) => place % 2))).not.toContain('nothing is learnt');
});

test('of a recording the story stays past its third update, and goes with a scroll past it or a later update; a live run brings its curves', async () => {
  const log = await scriptedLog();
  const first = log.findIndex(({ kind }) => kind === 'update-started');
  const ofUpdate = (update: number): readonly EngineEvent[] =>
    log.slice(first).filter((event) => 'update' in event && event.update === 1).map((event) => ({ ...event, update })); // prettier-ignore
  const four = [...log.slice(0, first), ...[1, 2, 3, 4].flatMap(ofUpdate)];
  const open = async () => {
    const lab = createLab(() => undefined, '');
    const screen = await render(<App lab={lab} />);
    const story = () => screen.container.querySelector('.first-sight');
    return { lab, story, text: () => screen.container.textContent };
  };
  const recorded = await open();
  recorded.lab.run.apply(four);
  await expect
    .poll(() => recorded.lab.run.getState().updates.filter(({ metrics }) => metrics).length)
    .toBe(4);
  await expect.poll(recorded.text).toContain('Update 4 of');
  expect(recorded.story()).not.toBeNull();
  recorded.lab.selection.select({ update: 4 });
  await expect.poll(recorded.story).toBeNull();
  recorded.lab.selection.select({ update: null });
  await expect.poll(recorded.story).not.toBeNull();
  const below = document.body.appendChild(Object.assign(document.createElement('div'), { style: 'height: 4000px' })); // prettier-ignore
  below.scrollIntoView({ block: 'end' });
  expect(recorded.story()!.getBoundingClientRect().bottom).toBeLessThan(0);
  await expect.poll(recorded.story).toBeNull();
  below.remove();
  await cleanup();
  const live = await open();
  live.lab.transport.setState({ source: 'live' });
  live.lab.run.apply(four);
  await expect.poll(live.story).toBeNull();
});
