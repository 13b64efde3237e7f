import { afterEach, expect, test } from 'vitest';
import { cleanup, render } from 'vitest-browser-react';
import { createLab } from '../../src/store/lab/lab.ts';
import { LabProvider } from '../../src/ui/parts/binding.ts';
import { FootprintLine } from '../../src/ui/train/Knobs.tsx';
import { listen } from '../support/questions.ts';
import { CONFIG } from '../support/sample_log.ts';

afterEach(() => cleanup());

test('asks for each change and shows the answer to what is on screen, or why it would not run', async () => {
  const listener = listen();
  const lab = createLab(() => undefined, '', undefined, null, listener);
  lab.transport.setState({ engine: { kind: 'ready' } });
  const line = (config: typeof CONFIG) => (
    <LabProvider value={lab}>
      <FootprintLine config={config} />
    </LabProvider>
  );
  const screen = await render(line(CONFIG));
  expect(listener.of('estimate')).toEqual([{ kind: 'estimate', config: CONFIG }]);
  await listener.answer('estimate', { bytes: 94_500_000, problem: null });
  await expect.poll(() => screen.container.textContent).toBe('Needs at most 94.5 MB of device memory.');

  const larger = { ...CONFIG, promptsPerUpdate: 64 };
  await screen.rerender(line(larger));
  expect(screen.container.textContent).toBe(''); // the answer at hand is about other settings
  expect(listener.of('estimate').at(-1)).toEqual({ kind: 'estimate', config: larger });
  const problem = {
    what: 'The run does not fit the graphics device: it needs 900 MB',
    where: 'activations, logits',
    got: '300 MB in one buffer',
    wanted: 'at most 128 MB per buffer',
    next: 'Lower one of these settings: promptsPerUpdate to 32.',
  };
  await listener.answer('estimate', { bytes: null, problem });
  await expect.poll(() => screen.container.textContent).toContain('it needs 900 MB (activations, logits)');
  expect(screen.container.textContent).toContain('promptsPerUpdate to 32');
  await screen.rerender(line(CONFIG));
  await screen.rerender(line(larger));
  expect(listener.asked.map(({ signal }) => signal?.aborted)).toEqual([true, true, true, false]); // each gives way to the next
});
