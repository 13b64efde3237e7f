import { afterEach, expect, test } from 'vitest';
import { cleanup, render } from 'vitest-browser-react';
import { trajectoryOf } from '../../src/algo/reward/reward.ts';
import { tellerOf } from '../../src/env/words.ts';
import { searchEnvironment } from '../../src/env/search/search.ts';
import { rolloutTree } from '../../src/store/record/reading.ts';
import { App } from '../../src/ui/shell/App.tsx';
import { liveTree, scriptedLab } from '../support/scripted_lab.ts';

afterEach(() => cleanup());

const words = (ids: readonly number[]) => ids.map((id) => searchEnvironment.vocabulary[id]);

test('every turn of a path stands as a sentence beside its tokens, as its environment tells the path', async () => {
  const lab = await scriptedLab();
  const { tree } = liveTree(lab);
  lab.selection.select({ view: 'tree', update: 1, prompt: tree.prompt.index, wholePath: true });
  const { container } = await render(<App lab={lab} />);
  const { dataset, seed, tokens, answer } = tree.prompt;
  for (const leaf of tree.leaves) {
    lab.selection.select({ node: leaf });
    const path = trajectoryOf(rolloutTree(tree)!, leaf, 1000);
    const told = tellerOf('search')!({
      ...{ dataset, seed: seed!, question: words(tokens), answer: words(answer!), ending: path.ending },
      turns: path.turns.map(words),
      observations: path.observations.map(words),
    });
    const shown = () =>
      [...container.querySelectorAll('.node-panels .told')].map(({ textContent }) => textContent);
    await expect.poll(shown).toEqual(told.map(({ sentence }) => sentence));
    const action = told.at(-1)!.action;
    expect(container.querySelector(`[data-node="${leaf}"]`)?.getAttribute('aria-label')).toContain(action);
  }
});

test('what a turn does stands below its node where it has room, as a whole or without its verb', async () => {
  const lab = await scriptedLab();
  const { tree } = liveTree(lab);
  lab.selection.select({ view: 'tree', update: 1, prompt: tree.prompt.index });
  const { container } = await render(<App lab={lab} />);
  const notes = [...container.querySelectorAll('[data-node]')].flatMap((item) => {
    const note = item.querySelector('.node-hidden')?.textContent.trim();
    return note === undefined ? [] : [{ note, label: item.getAttribute('aria-label') }];
  });
  expect(notes.length).toBeGreaterThan(2);
  for (const { note, label } of notes) expect(label).toContain(note);
});

test('the question is spelled the same in every view', async () => {
  const lab = await scriptedLab();
  const { tree } = liveTree(lab);
  const { container } = await render(<App lab={lab} />);
  const spelled = [];
  for (const view of ['train', 'tree', 'credit', 'loss'] as const) {
    lab.selection.select({ view, update: 1, prompt: tree.prompt.index });
    await expect
      .poll(() => container.querySelector('nav [aria-current=page]')?.textContent.toLowerCase())
      .toContain(view);
    await expect.poll(() => container.querySelector('.question')?.textContent).toContain('?');
    spelled.push(container.querySelector('.question')!.textContent);
  }
  const [, first] = /([A-Z]\w+(?:’s|'s).*?\?)/.exec(spelled[0])!;
  for (const text of spelled) expect(text).toContain(first);
});
