import { EditorView } from '@codemirror/view';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { page } from 'vitest/browser';
import { cleanup, render } from 'vitest-browser-react';
import { kernels } from '../../shaders/index.ts';
import { createLab, type Lab } from '../../src/store/lab/lab.ts';
import { Engine } from '../../src/train/engine/engine.ts';
import { openGpuBackend } from '../../src/train/engine/gpu_backend.ts';
import type { EngineEvent } from '../../src/protocol/protocol.ts';
import { LabError, textMark } from '../../src/units.ts';
import { App } from '../../src/ui/shell/App.tsx';
import { formatCount, formatSetting } from '../../src/ui/parts/format.ts';
import { seriousFindings } from '../support/axe.ts';
import { scriptedLog } from '../support/scripted_lab.ts';

const KEY = 'turnwise-kernel-policy_loss';
const FILLER = 'turnwise-test-filler';
const ORIGINAL = kernels.policy_loss.source;
const WRITE = 'dlogProb[s] = token.y * term.gradient;';

let engine: Engine;
const report = { what: 'lost', where: 'here', got: 'a', wanted: 'b', next: 'c' };
const refuse = () => Promise.reject(new LabError('QuestionError', report));
let silent = false; // the engine answers nothing
let hear: (event: EngineEvent) => void = () => undefined;
beforeAll(async () => {
  engine = new Engine({
    post: (event) => hear(event),
    openBackend: () => openGpuBackend(),
    fetchWeights: () => Promise.resolve(new ArrayBuffer(0)),
  });
  await engine.start();
});
afterAll(() => engine.dispose());
afterEach(async () => {
  await cleanup();
  localStorage.removeItem(KEY);
  emptyStorage();
});

/** Fills the browser's storage to its last few characters: an entry a size, since one that grows is written anew each time. */
function fillStorage(): void {
  for (let size = 2 ** 22; size >= 1; size /= 2)
    try {
      localStorage.setItem(`${FILLER}${size}`, 'x'.repeat(size));
    } catch {
      continue; // half of it, then
    }
}

function emptyStorage(): void {
  for (const key of Object.keys(localStorage)) if (key.startsWith(FILLER)) localStorage.removeItem(key);
}

const soon = { timeout: 90_000 };

/** After the next frame has been drawn. */
const drawn = (): Promise<unknown> =>
  new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));

/** A page with a finished run on screen, its engine the real one, the loss kernel open. */
async function openEditor() {
  const log = await scriptedLog();
  const lab: Lab = createLab((command) => void engine.dispatch(command), '', undefined, null, {
    ask: (question, signal) => (silent ? refuse() : engine.ask(question, signal)),
  });
  lab.transport.setState({ engine: { kind: 'ready' } });
  lab.run.apply(log.filter(({ kind }) => kind !== 'failed'));
  hear = (event) => lab.transport.receive([event]);
  lab.selection.select({ view: 'profile' });
  await page.viewport(1280, 800);
  const screen = await render(<App lab={lab} />);
  const summary = screen.getByText('Kernels: the WGSL that runs');
  await expect.element(summary).toBeVisible();
  (summary.element() as HTMLElement).click(); // opens it wherever the page stands
  await screen.getByRole('button', { name: 'Edit this kernel' }).click();
  const content = (): HTMLElement | null => screen.container.querySelector('.cm-content');
  await expect.poll(content, { timeout: 20_000 }).not.toBeNull();
  const write = (text: string): void => {
    const view = EditorView.findFromDOM(content()!)!;
    view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } });
  };
  /** Waits for the compiler too: until a text is drawn, a button is of the text before. */
  const writeAndCompile = async (text: string): Promise<void> => {
    write(text);
    await expect.poll(() => lab.inspection.getState().compiled?.source, soon).toBe(text);
  };
  const show = (line: number): void => {
    const view = EditorView.findFromDOM(content()!)!;
    const { from } = view.state.doc.line(Math.round(line));
    view.dispatch({ effects: EditorView.scrollIntoView(from, { y: 'center' }) });
  };
  const words = (): string => screen.container.querySelector('.kernel-editor')!.textContent ?? '';
  const text = (): string => EditorView.findFromDOM(content()!)!.state.doc.toString();
  /** Line numbers of the editor's lines beside which a gutter has something to say. */
  const marked = (gutter: string): readonly [line: number, sign: string][] => {
    const view = EditorView.findFromDOM(content()!)!;
    return [...screen.container.querySelectorAll(`.cm-gutter.${gutter} .cm-gutterElement`)].flatMap(
      (element) => {
        const { top, height } = element.getBoundingClientRect();
        if (height === 0 || !element.firstChild) return [];
        const block = view.lineBlockAtHeight(top + height / 2 - view.documentTop);
        return [[view.state.doc.lineAt(block.from).number, element.textContent]];
      },
    );
  };
  return { lab, screen, write, writeAndCompile, show, words, text, marked };
}

test('a broken line is named with what the compiler says, and cannot be run', async () => {
  const { screen, write, words } = await openEditor();
  await expect.poll(words, soon).toContain('✓ It compiles on this device');
  const text = ORIGINAL.replace('let mean = logRatio[', 'let mean = logRatios[');
  write(text);
  const line = text.split('\n').findIndex((each) => each.includes('logRatios')) + 1;
  await expect.poll(words, soon).toContain(`Line ${line}`);
  expect(screen.container.querySelector('.kernel-problems')!.textContent).toContain('logRatios');
  expect(words()).toContain('1 line new, 1 line of the original gone');
  await expect.element(screen.getByRole('button', { name: 'Run with this kernel' })).toBeDisabled();
  expect(screen.container.querySelectorAll('.cm-lint-marker-error').length).toBe(1);
  expect(localStorage.getItem(KEY)).toBe(text);
  expect(await seriousFindings(screen.container)).toEqual([]);
  await screen.getByRole('button', { name: 'Reset to the original' }).click();
  await expect.poll(words, soon).toContain('✓ It compiles on this device');
  expect(localStorage.getItem(KEY)).toBeNull();
});

test('twice the gradient is found with its numbers; the loss alike, it passes; a run with it is labelled', async () => {
  const { lab, screen, writeAndCompile, words } = await openEditor();
  await writeAndCompile(ORIGINAL.replace(WRITE, 'dlogProb[s] = 2.0 * token.y * term.gradient;'));
  const check = screen.getByRole('button', { name: 'Check its gradient now' });
  await check.click();
  await expect.poll(words, soon).toContain('✕ The edited gradient is not that of the edited loss');
  const worst = screen.container.querySelector('.gradient-check tbody tr')!;
  const [numeric, stated] = [...worst.querySelectorAll('td')].map(({ textContent }) =>
    Number((textContent ?? '').replaceAll('−', '-')),
  );
  expect(stated / numeric).toBeCloseTo(2, 1);
  const token = lab.inspection.getState().kernelTrial!.gradients![0].tokens[0];
  expect(numeric).toBeCloseTo(token.numeric, 4);

  const both = ORIGINAL.replace(
    WRITE,
    'tokenLoss[s] = 2.0 * term.loss; dlogProb[s] = 2.0 * token.y * term.gradient;',
  );
  await writeAndCompile(both);
  await check.click();
  await expect.poll(words, soon).toContain('✓ The edited gradient is that of the edited loss');

  await screen.getByRole('button', { name: 'Run with this kernel' }).click();
  const label = `edited policy_loss #${textMark(both)} (gradient checked)`;
  await expect.poll(() => lab.run.getState().header?.config?.editedKernel?.source, soon).toBe(both);
  await expect.poll(() => screen.container.querySelector('.edited-badge')?.textContent).toBe(label);
  await expect.poll(() => screen.container.textContent).toContain(`This run trained with an ${label}`);
  await engine.dispatch({ kind: 'close' });
});

/** A fault in each part of the file, and what the compiler calls it. */
const FAULTS = [
  ['its params', '  dualClip: f32,', '  dualClip: f23,', 'f23'],
  ['a binding', 'read> tokens: array<vec4f>', 'read> tokens: array<vec9f>', 'vec9f'],
  ['a constant', 'X_LIMIT = 80.0;', 'X_LIMIT = eighty;', 'eighty'],
  ['a function', 'let low = 1.0 - params.clipLow', 'let low = 1.0 - params.clipFloor', 'clipFloor'],
  ['the entry point', 'tokenLoss[s] = term.loss;', 'tokenLoss[s] = term.lost;', 'lost'],
] as const;

test('a fault in any part of the file is named on its own line, beside it too, and its button goes there', async () => {
  const { screen, write, marked } = await openEditor();
  for (const [part, right, wrong, word] of FAULTS) {
    const text = ORIGINAL.replace(right, wrong);
    expect(text, part).not.toBe(ORIGINAL);
    write(text);
    const line = text.split('\n').findIndex((each) => each.includes(wrong)) + 1;
    const problems = (): string => screen.container.querySelector('.kernel-problems')?.textContent ?? '';
    await expect.poll(problems, soon).toContain(word);
    expect(problems(), part).toMatch(new RegExp(`^Line ${line}:`));
    expect(
      marked('cm-gutter-lint').map(([at]) => at),
      part,
    ).toContain(line);
    await screen
      .getByRole('button', { name: `Line ${line}`, exact: true })
      .first()
      .click();
    const { state } = EditorView.findFromDOM(screen.container.querySelector('.cm-content')!)!;
    expect(state.doc.lineAt(state.selection.main.head).number, part).toBe(line);
  }
});

test('new lines are marked with a sign and a wash, and lines that are gone with another', async () => {
  const { screen, write, show, words, marked } = await openEditor();
  const lines = ORIGINAL.split('\n');
  const at = lines.findIndex((line) => line.includes(WRITE)); // from 0
  const edited = lines.toSpliced(at, 1, '  let twice = 2.0;', '  dlogProb[s] = twice;').toSpliced(23, 1);
  write(edited.join('\n'));
  await expect.poll(words).toContain(`2 lines new, 2 lines of the original gone (${at}–${at + 1})`);
  const seen = new Map<number, string>();
  /** Lines from 1. The editor draws what is near the window alone, and keeps what it has drawn while that is enough. */
  const see = async (line: number, signs: readonly [line: number, sign: string][]): Promise<void> => {
    let shown: readonly [line: number, sign: string][] = [];
    const look = async () => {
      show(line);
      await drawn(); // it measures in a frame; what is read before is of other heights
      return (shown = marked('cm-changes'));
    };
    await expect.poll(look).toEqual(expect.arrayContaining([...signs]));
    for (const [each, sign] of shown) seen.set(each, sign);
  };
  await see(24, [[24, '−']]);
  await see(at, [[at, '±'], [at + 1, '+']]); // prettier-ignore
  expect([...seen]).toEqual([[24, '−'], [at, '±'], [at + 1, '+']]); // prettier-ignore
  const washed = [...screen.container.querySelectorAll('.cm-new-line')].map((line) => line.textContent);
  expect(washed).toEqual(['  let twice = 2.0;', '  dlogProb[s] = twice;']);
  expect(await seriousFindings(screen.container)).toEqual([]);
  write(ORIGINAL);
  await expect.poll(() => marked('cm-changes')).toEqual([]);
});

test('a page that is opened again has the text as it was', async () => {
  const edited = `${ORIGINAL}// mine\n`;
  const first = await openEditor();
  first.write(edited);
  await expect.poll(() => localStorage.getItem(KEY)).toBe(edited);
  await cleanup();
  const second = await openEditor();
  expect(second.text()).toBe(edited);
  await expect.poll(second.words).toContain('1 line new, 0 lines of the original gone');
});

test('where the browser’s storage is full the page says so, and neither this text nor the one kept before is lost', async () => {
  const kept = `${ORIGINAL}// kept\n`;
  const { screen, write, words, text } = await openEditor();
  write(kept);
  await expect.poll(() => localStorage.getItem(KEY)).toBe(kept);
  fillStorage();
  const longer = `${kept}// one line more than there is room for\n`;
  write(longer);
  await expect.poll(() => screen.container.querySelector('.kernel-editor [role=alert]')?.textContent).toBe(
    'The browser’s storage for this page is full: a reload brings back what was kept before, not this text. Copy it, or clear the site’s data.',
  ); // prettier-ignore
  expect(text()).toBe(longer);
  expect(localStorage.getItem(KEY)).toBe(kept);
  await expect.poll(words, soon).toContain('✓ It compiles on this device');
  emptyStorage();
  write(`${longer}//\n`);
  await expect.poll(() => screen.container.querySelector('.kernel-editor [role=alert]')).toBeNull();
});

test('the check on the chosen mini-batch is on screen as the device gave it', async () => {
  const { lab, screen } = await openEditor();
  const panel = screen.getByRole('region', { name: 'Kernel policy_loss' });
  const picker = panel.getByRole('combobox', { name: /Mini-batch of update/ }).first();
  await picker.selectOptions([picker.element().querySelector('option')!]); // the last one is chosen at first
  await panel.getByRole('button', { name: 'Check on this mini-batch' }).click();
  const checked = () => lab.inspection.getState().kernelChecks.policy_loss;
  await expect.poll(checked, soon).toBeTruthy();
  const { batch, cases, gradients } = checked();
  expect(batch).toEqual({ update: lab.run.getState().updates.length, minibatch: 0 });
  const { rows } = lab.run.getState().updates.at(-1)!.minibatches[0];
  const tokens = rows.reduce((sum, { tokenIndex }) => sum + tokenIndex.length, 0);
  expect(cases).toMatchObject([{ checked: 2 * tokens, mismatchCount: 0 }]);
  const said = (): string => panel.element().querySelector('p[role=status]')?.textContent ?? '';
  await expect.poll(said).toContain(
    `Checked ${formatCount(2 * tokens)} numbers of update ${batch!.update}, mini-batch 1: ✓ all agree with the float64 oracle; worst ${formatSetting(cases[0].worst!.error, 2)} of`,
  ); // prettier-ignore
  const tables = [...panel.element().querySelectorAll('.gradient-check')].map(
    ({ textContent }) => textContent,
  );
  expect(tables).toHaveLength(2);
  gradients.forEach(({ counts }, index) => {
    expect(tables[index]).toContain(
      `✓ The gradient of all ${formatCount(counts.agrees)} tokens is that of the loss.`,
    );
  });
});

/**
 * Seconds of work in all, little in one dispatch: on a software adapter the one under way when a check is cancelled runs on,
 * and holds up the next check.
 */
const LONG = `var spin = 1u;
  for (var round = 0u; round < 90000u; round++) { ${'spin = spin * 1664525u + 1013904223u; '.repeat(40)} }
  dlogProb[s] = token.y * term.gradient + select(0.0, 1.0, spin == 0u);`;

test('a check that takes long is cancelled without an error, and the next check is right', async () => {
  const { lab, screen, writeAndCompile, words } = await openEditor();
  await writeAndCompile(ORIGINAL.replace(WRITE, LONG));
  const check = screen.getByRole('button', { name: 'Check its gradient now' });
  await check.click();
  await expect.element(screen.getByRole('button', { name: 'Checking …' })).toBeDisabled();
  await screen.getByRole('button', { name: 'Cancel the check' }).click();
  await expect.poll(words).toContain('The check was cancelled. It ran on a device of its own');
  expect(screen.container.querySelector('.error-banner')).toBeNull();
  await writeAndCompile(ORIGINAL);
  await check.click();
  await expect.poll(words, soon).toContain('✓ The edited gradient is that of the edited loss');
  expect(lab.run.getState().failure).toBeNull();
});

test('a compilation that came to nothing is said, and asked for again', async () => {
  const { lab, screen, write, words } = await openEditor();
  await expect.poll(words, soon).toContain('✓ It compiles on this device');
  silent = true;
  write(`${ORIGINAL}// mine\n`);
  await expect.poll(words).toContain('The compiler gave no answer.');
  expect(lab.run.getState().failure).toEqual(report);
  silent = false;
  await screen.getByRole('button', { name: 'Compile again' }).click();
  await expect.poll(words, soon).toContain('✓ It compiles on this device');
});

test('an endless loop is named with its line instead of being run, and the next check is right', async () => {
  const { screen, writeAndCompile, words } = await openEditor();
  const text = ORIGINAL.replace(WRITE, `while (true) { dlogProb[s] += 1.0; }\n  ${WRITE}`);
  const line = text.split('\n').findIndex((each) => each.includes('while (true)')) + 1;
  await writeAndCompile(text);
  const check = screen.getByRole('button', { name: 'Check its gradient now' });
  await check.click();
  await expect.poll(words, soon).toContain(`Line ${line}: This loop does not end`);
  await expect.element(screen.getByRole('button', { name: 'Run with this kernel' })).toBeDisabled();
  await writeAndCompile(ORIGINAL);
  await check.click();
  await expect.poll(words, soon).toContain('✓ The edited gradient is that of the edited loss');
});

test('a run with an endless kernel is refused before it starts, with its line', async () => {
  const { lab, screen, writeAndCompile } = await openEditor();
  await writeAndCompile(ORIGINAL.replace(WRITE, `loop { if (s == 99999u) { break; } }\n  ${WRITE}`));
  await screen.getByRole('button', { name: 'Run with this kernel' }).click();
  await expect.element(screen.getByRole('alert'), soon).toHaveTextContent(/has a loop that does not end/);
  expect(lab.run.getState().failure?.where).toContain('loop { if (s == 99999u) { break; } }');
  await engine.dispatch({ kind: 'close' });
});
