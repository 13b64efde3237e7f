import { afterEach, expect, test } from 'vitest';
import { cleanup, render } from 'vitest-browser-react';
import { createLab } from '../../src/store/lab/lab.ts';
import type { RunCommand } from '../../src/protocol/protocol.ts';
import { LabProvider } from '../../src/ui/parts/binding.ts';
import { FootprintLine } from '../../src/ui/train/Knobs.tsx';
import { CONFIG } from '../support/sample_log.ts';

afterEach(() => cleanup());

test('asks for each change and shows the answer to what is on screen, or why it would not run', async () => {
  const sent: RunCommand[] = [];
  const lab = createLab((command) => sent.push(command));
  lab.transport.setState({ engine: { kind: 'ready' } });
  const line = (config: typeof CONFIG) => (
    <LabProvider value={lab}>
      <FootprintLine config={config} />
    </LabProvider>
  );
  const screen = await render(line(CONFIG));
  expect(sent).toEqual([{ kind: 'estimate', config: CONFIG }]);
  const answer = { kind: 'footprint', bytes: 94_500_000, problem: null } as const;
  lab.transport.receive([{ ...answer, config: CONFIG }]);
  await expect.poll(() => screen.container.textContent).toBe('Needs at most 94.5 MB of device memory.');

  const larger = { ...CONFIG, promptsPerUpdate: 64 };
  await screen.rerender(line(larger));
  expect(screen.container.textContent).toBe(''); // the answer at hand is about other settings
  expect(sent.at(-1)).toEqual({ kind: 'estimate', config: larger });
  const problem = {
    what: 'The run does not fit the graphics device: it needs 900 MB',
    where: 'activations, logits',
    got: '300 MB in one buffer',
    wanted: 'at most 128 MB per buffer',
    next: 'Lower one of these settings: promptsPerUpdate to 32.',
  };
  lab.transport.receive([{ ...answer, config: larger, bytes: null, problem }]);
  await expect.poll(() => screen.container.textContent).toContain('it needs 900 MB (activations, logits)');
  expect(screen.container.textContent).toContain('promptsPerUpdate to 32');
});
