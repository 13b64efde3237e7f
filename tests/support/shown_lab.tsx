/** The whole page with a lab of a test's own, as it opens at an address. */
import { page } from 'vitest/browser';
import { cleanup, render } from 'vitest-browser-react';
import { createLab, type Lab } from '../../src/store/lab/lab.ts';
import { App } from '../../src/ui/shell/App.tsx';
import { scriptedLab, scriptedLog, liveTree } from './scripted_lab.ts';

export async function show(lab: Lab, isFrame = false): Promise<Lab> {
  const container = Object.assign(document.createElement('div'), { id: 'root' });
  document.body.append(container);
  await render(<App lab={lab} isFrame={isFrame} />, { container });
  return lab;
}

/** The scripted run, at the first tree that has credit to show. @param fields of the address */
export async function showScripted(fields = ''): Promise<Lab> {
  const opened = await scriptedLab(`#v1&update=1${fields}`);
  const { tree } = liveTree(opened);
  opened.selection.select({ prompt: tree.prompt.index });
  return show(opened);
}

/** The same with an engine that lists its settings. */
export async function showReady(fields: string): Promise<Lab> {
  const opened = createLab(() => undefined, `#v1&update=1${fields}`);
  const log = await scriptedLog();
  opened.transport.receive(log.filter(({ kind }) => kind === 'ready'));
  opened.run.apply(log);
  return show(opened);
}

/** After each test. */
export async function clearPage(): Promise<void> {
  await cleanup();
  document.querySelectorAll('#root, #notes').forEach((element) => element.remove());
  await page.viewport(1280, 800);
}
