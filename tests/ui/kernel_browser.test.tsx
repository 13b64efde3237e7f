import { afterEach, expect, test } from 'vitest';
import { cleanup, render } from 'vitest-browser-react';
import { createLab } from '../../src/store/lab/lab.ts';
import { kernelCatalogue } from '../../src/train/inspect/kernels.ts';
import { App } from '../../src/ui/shell/App.tsx';
import { seriousFindings } from '../support/axe.ts';
import { listen } from '../support/questions.ts';
import { scriptedLog } from '../support/scripted_lab.ts';

afterEach(() => cleanup());

test('a kernel shows its contract, text and bindings, and its check number for number', async () => {
  const listener = listen();
  const lab = createLab(() => undefined, '', undefined, null, listener);
  lab.transport.receive((await scriptedLog()).filter(({ kind }) => kind === 'ready'));
  lab.selection.select({ view: 'profile' });
  const screen = await render(<App lab={lab} />);
  await screen.getByText('Kernels: the WGSL that runs').click();
  await expect.poll(() => listener.of('list-kernels').length).toBe(1);
  const list = kernelCatalogue();
  await listener.answer('list-kernels', list);
  await screen.getByLabelText('Kernel', { exact: true }).selectOptions('swiglu_forward');
  const kernel = list.find(({ name }) => name === 'swiglu_forward')!;
  const section = (): Element =>
    screen.container.querySelector('section[aria-label="Kernel swiglu_forward"]')!;
  await expect.poll(() => section()?.querySelectorAll('tbody tr').length).toBe(1 + kernel.bindings.length);
  const [contract, code] = [...section().querySelectorAll('pre')].map(({ textContent }) => textContent ?? '');
  expect(contract).toContain('swiglu_forward — ');
  expect(code).toContain('fn main(');
  await screen.getByRole('button', { name: 'Check against the oracle now' }).click();
  expect(listener.asked.at(-1)?.question).toEqual({ kind: 'check-kernel', name: 'swiglu_forward' });
  const worst = { tensor: 'h', index: 7, got: 1.5, want: 1, error: 0.5, allowed: 1e-6 };
  await listener.answer('check-kernel', {
    kernel: 'swiglu_forward',
    batch: null,
    ground: 'none',
    why: '',
    gradients: [],
    cases: [{ title: 'rows 3', checked: 60, mismatchCount: 4, worst }],
    missing: null,
    ms: 12,
  });
  await expect
    .poll(() => section().textContent)
    .toContain(
      'Checked 60 numbers on the catalogue’s cases: ✕ 4 differ from the float64 oracle; worst 0.5 of 1e−6 allowed, at h[7].',
    );
  const cells = [...section().querySelectorAll('table:last-of-type tbody tr')].at(-1)!;
  expect([...cells.querySelectorAll('td')].map(({ textContent }) => textContent)).toEqual(['60', '4', '0.5', '1e−6', 'h[7]']); // prettier-ignore
  expect(await seriousFindings(screen.container)).toEqual([]);
});
