/** Predict first: nothing of what is asked stands on the page before the guess, and then the truth is the algorithms’ own. */
import { afterEach, expect, test } from 'vitest';
import { userEvent } from 'vitest/browser';
import { cleanup, render, type RenderResult } from 'vitest-browser-react';
import {
  creditFrame,
  creditSteps,
  phasesOf,
  phaseStart,
  type StepperStep,
} from '../../src/store/credit/credit_steps.ts';
import { OWN_CREDIT, recredit } from '../../src/store/credit/credit.ts';
import { tokensOf } from '../../src/store/credit/step_questions.ts';
import type { Lab } from '../../src/store/lab/lab.ts';
import { rolloutTree } from '../../src/store/record/reading.ts';
import type { TreeState } from '../../src/store/record/run_state.ts';
import { App } from '../../src/ui/shell/App.tsx';
import { formatCount, formatNumber, formatSigned } from '../../src/ui/parts/format.ts';
import { ADVANTAGE_RULES, type AdvantageRule, type TreeSignals } from '../../src/units.ts';
import { seriousFindings } from '../support/axe.ts';
import { liveTree, scriptedLab } from '../support/scripted_lab.ts';
import { smallTargets } from '../support/targets.ts';

let screen: RenderResult;
let lab: Lab;

afterEach(() => cleanup());

/** All that any rule may read, with numbers that nothing else has. */
const signalsOf = (tree: TreeState): TreeSignals => ({
  belief: tree.nodes.map((node, id) =>
    node?.children.length === 0 ? null : -0.1 - Math.abs(Math.sin(id + 1)),
  ),
  baseline: 0.37,
  stepReward: tree.nodes.map((_, id) => 0.2 * Math.sin(7 * id + 2)),
});

/** The run as if a rule had trained it, every tree measured. */
function trainedBy(rule: AdvantageRule): TreeState {
  const { header, updates } = lab.run.getState();
  const config = header!.config!;
  const credit = { ...config.algorithm.credit, advantageRule: rule };
  const measured = updates[0].trees.map((tree) => ({ ...tree, signals: tree.signals ?? signalsOf(tree) }));
  lab.run.setState({
    header: { ...header!, config: { ...config, algorithm: { ...config.algorithm, credit } } },
    updates: [{ ...updates[0], trees: measured }, ...updates.slice(1)],
  });
  return liveTree(lab).tree;
}

async function open(at: Parameters<Lab['selection']['select']>[0] = {}): Promise<TreeState> {
  lab = await scriptedLab();
  const { tree } = liveTree(lab);
  lab.selection.select({ view: 'credit', update: 1, prompt: tree.prompt.index, ...at });
  screen = await render(<App lab={lab} />);
  return tree;
}

function stepsOf(state: TreeState): readonly StepperStep[] {
  const own = lab.run.getState().header!.config!.algorithm.credit;
  const credit = recredit(state, own, OWN_CREDIT, lab.run.getState().updates[0].trees)!;
  return creditSteps(rolloutTree(state)!, credit.rewardSteps, credit, credit.config.advantageRule);
}

const card = (): HTMLElement | null => screen.container.querySelector('.predict-step');
const text = (selector: string): string => screen.container.querySelector(selector)?.textContent ?? '';
const press = (name: string): void =>
  [...card()!.querySelectorAll('button')].find(({ textContent }) => textContent === name)!.click();

/** Every text and every attribute but shapes and styles, of all elements under a root. */
const saidIn = (root: Element): string =>
  [...root.querySelectorAll('*')]
    .filter(
      (element) => !element.closest('[aria-label="Playback"], [aria-label="speed of the recorded run"]'),
    ) // speeds
    .flatMap((element) => [
      ...[...element.childNodes].flatMap((child) => (child.nodeType === 3 ? [child.textContent ?? ''] : [])),
      ...[...element.attributes]
        .filter(
          ({ name }) =>
            !/^(d|x|y|x1|x2|y1|y2|cx|cy|r|width|height|transform|viewBox|style|points|class)$/.test(name),
        )
        .map(({ name, value }) => `${name}=${value}`),
      ...(element instanceof HTMLInputElement ? [element.value] : []),
    ])
    .join(' | ');

/** How a number of credit is written anywhere, without its sign; whole numbers stand for other things too. */
const writings = (value: number): readonly string[] =>
  [1, 2, 3].map((digits) => formatNumber(Math.abs(value), digits)).filter((written) => !/^\d+(\.0+)?$/.test(written) && written.length > 3); // prettier-ignore

const numbersOf = (step: StepperStep): readonly number[] => [
  ...(step.result === null ? [] : [step.result]),
  ...(step.trained ?? []),
  ...step.formula.flatMap((part) => (part.kind === 'number' ? [part.value] : [])),
];

test('under every rule and in every phase no number ahead is on the page before the guess; then it is the algorithm’s', async () => {
  const asking = { run: null, view: 'credit', update: 1, stride: 'number', predict: 'number' } as const;
  await open(asking);
  let asked = 0;
  for (const rule of ADVANTAGE_RULES) {
    const state = trainedBy(rule);
    const steps = stepsOf(state);
    for (const phase of phasesOf(rule)) {
      const at = phaseStart(steps, phase);
      const step = steps[at - 1];
      lab.selection.select({ ...asking, prompt: state.prompt.index, creditFrame: at - 1 }); // another recipe is another run
      await expect
        .poll(() => [rule, phase, text('.predict-step h2') || text('main').slice(0, 300)], {
          interval: 4,
          timeout: 3000,
        })
        .toEqual([rule, phase, `Predict first: step ${at}`]);
      await expect.poll(() => text('.predict-step form'), { interval: 4 }).toMatch(/Show me/);
      const known = new Set([...steps.slice(0, at - 1).flatMap(numbersOf), ...state.nodes.flatMap((node) => node?.turnSurprisal ?? [])].flatMap(writings)); // prettier-ignore
      const hidden = new Set(steps.slice(at - 1).flatMap(numbersOf).flatMap(writings).filter((written) => !known.has(written))); // prettier-ignore
      const page = saidIn(screen.container).replace('± 0.05 counts', '');
      const said = new Set(page.match(/\d+\.\d+/g));
      const found = [...hidden].filter((written) => said.has(written));
      expect([rule, phase, found.map((written) => page.slice(Math.max(0, page.indexOf(written) - 60)).slice(0, 90))]).toEqual([rule, phase, []]); // prettier-ignore
      asked += hidden.size;
      if (rule !== ADVANTAGE_RULES[0] && phase !== 'advantage' && phase !== 'tokens') continue; // the same under all
      press('Show me');
      const wanted = step.result === null ? formatCount(tokensOf(step.row)) : formatSigned(step.result);
      await expect.poll(() => text('.prediction-answer strong'), { interval: 4 }).toBe(wanted);
      expect(lab.selection.getState().creditFrame).toBe(at);
      expect(text('.step-sentence')).not.toBe('');
    }
  }
  expect(asked).toBeGreaterThan(1000); // numbers that could have been found
});

test('at the start no reward shows, not even of a leaf that is dragged or of a dead tree', async () => {
  const tree = await open({ predict: 'sign' });
  const leaf = tree.leaves[0];
  screen.container.querySelector<SVGGElement>(`[data-node="${leaf}"]`)!.focus();
  await userEvent.keyboard('{Shift>}{ArrowUp}{/Shift}');
  expect(lab.selection.getState().whatIf).toEqual([]);
  lab.selection.select({ whatIf: [{ leaf, reward: 0.3 }] });
  await expect
    .poll(() => screen.container.querySelectorAll('.leaves tbody tr').length)
    .toBe(tree.leaves.length);
  expect(saidIn(screen.container.querySelector('.tree-drawing')!)).not.toMatch(/reward set to|r 0/);
  expect(text('.prompt-bar')).not.toContain('dead');
  await userEvent.selectOptions(screen.getByRole('combobox', { name: 'Predict first' }), 'no');
  await expect
    .poll(() => saidIn(screen.container.querySelector('.tree-drawing')!))
    .toContain('reward set to 0.3');
  expect(card()).toBeNull();
});

test('the guess stands beside the truth with the step that makes the difference, and a wrong one is traced to where it is from', async () => {
  await open({ stride: 'number', predict: 'number', advantageRule: 'diff_parent' });
  const { tree } = liveTree(lab);
  const own = lab.run.getState().header!.config!.algorithm.credit;
  const gains = recredit(tree, own, { ...OWN_CREDIT, advantageRule: 'diff_parent' }, lab.run.getState().updates[0].trees)!; // prettier-ignore
  const steps = creditSteps(rolloutTree(tree)!, gains.rewardSteps, gains, 'diff_parent');
  const at = steps.findIndex(({ phase, node, result }) => phase === 'advantage' && node !== 0 && Math.abs(gains.values.byNode[node] - result!) > 0.2); // prettier-ignore
  const { node, result } = steps[at];
  lab.selection.select({ creditFrame: at });
  await expect.poll(() => text('.predict-step h2')).toBe(`Predict first: step ${at + 1}`);
  const frame = creditFrame(tree, steps, at);
  expect(frame.advantages[node]).toBeNull();
  await userEvent.keyboard(' '); // to the card, not past it
  expect(document.activeElement?.getAttribute('aria-label')).toBe('Your guess, a number');
  expect(lab.selection.getState().creditFrame).toBe(at);
  await userEvent.keyboard(`${gains.values.byNode[node].toFixed(4)}{Enter}`);
  await expect.poll(() => text('.prediction-answer')).toContain('✕ not quite');
  expect(text('.prediction-answer')).toContain(`The lab: ${formatSigned(result)}`);
  expect(text('.prediction-answer')).toMatch(
    new RegExp(`Your number is the value .*n${node}\\b.*, found in step \\d+\\.`),
  );
  expect(text('.prediction-answer')).toContain(`Step ${at + 1} makes the difference: `);
  expect(text('.prediction-answer')).toContain(formatNumber(result, 3));
  expect(lab.selection.getState().creditFrame).toBe(at + 1);
  await userEvent.keyboard(' ');
  await expect.poll(() => text('.predict-step h2')).toBe(`Predict first: step ${at + 2}`);
  await userEvent.keyboard('{End}');
  await expect.poll(() => lab.selection.getState().creditFrame).toBe(steps.length - 1); // the last is asked too
  await expect.poll(() => text('.predict-step form')).toContain('How many tokens of the row');
  expect(await seriousFindings(screen.container)).toEqual([]);
  expect(smallTargets(card()!)).toEqual([]);
});

test('a class answers with hands: the split stands beside the truth', async () => {
  await open({ stride: 'phase', predict: 'choice', hands: true });
  const steps = stepsOf(liveTree(lab).tree);
  lab.selection.select({ creditFrame: phaseStart(steps, 'value') - 1 });
  const last = steps.findLast(({ phase }) => phase === 'value')!;
  await expect.poll(() => text('.predict-step form')).toContain('Which of these is the value of');
  const inputs = screen.getByRole('spinbutton', { name: /^Hands for/ });
  await expect.poll(() => inputs.elements().length).toBe(4);
  const words = inputs.elements().map((input) => input.getAttribute('aria-label')!.replace('Hands for ', ''));
  const right = words.indexOf(formatSigned(last.result));
  expect(right).toBeGreaterThanOrEqual(0);
  expect(card()!.querySelector('[data-right]')).toBeNull();
  for (const [at, input] of inputs.elements().entries())
    await userEvent.fill(input, String(at === right ? 6 : 3));
  press('Reveal');
  await expect.poll(() => text('.predict-step form')).toContain('6 of 15 hands are right.');
  const lines = [...card()!.querySelectorAll<HTMLElement>('.hands tr')];
  expect(lines.map(({ dataset }) => dataset.right)).toEqual(words.map((_, at) => String(at === right)));
  expect(lines.map((line) => line.querySelector<HTMLElement>('.hands-bar span')!.style.width)).toEqual(words.map((_, at) => (at === right ? '40%' : '20%'))); // prettier-ignore
  expect(lines[right].textContent).toBe(`${words[right]} ✓6 hands40 %`);
  lab.selection.select({ predict: 'number', creditFrame: 0 });
  await expect.poll(() => text('.predict-step form')).toContain('a number that somebody says');
  for (const said of ['1', '0', '0,5']) {
    await userEvent.fill(screen.getByRole('textbox', { name: 'a number that somebody says' }), said);
    await userEvent.keyboard('{Enter}');
  }
  await expect.poll(() => inputs.elements().map((input) => input.getAttribute('aria-label'))).toEqual(['+1.00', '0.00', '+0.50'].map((number) => `Hands for ${number}`)); // prettier-ignore
  await userEvent.fill(inputs.elements()[2], '4');
  press('Reveal');
  await expect.poll(() => text('.predict-step form')).toMatch(/[04] of 4 hands are right\./);
  expect(await seriousFindings(screen.container)).toEqual([]);
});
