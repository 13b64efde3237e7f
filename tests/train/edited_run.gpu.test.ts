import { expect, test } from 'vitest';
import { kernels } from '../../shaders/index.ts';
import { Engine } from '../../src/train/engine/engine.ts';
import { openGpuBackend } from '../../src/train/engine/gpu_backend.ts';
import type { RunEvent } from '../../src/protocol/protocol.ts';
import { withKernel } from '../../src/units.ts';
import { withoutTimes } from '../support/scripted_run.ts';
import { tinyRun } from '../support/tiny_run.ts';

/** All events of a run, but for what names it. */
async function eventsOf(source: string | null): Promise<readonly RunEvent[]> {
  const log: RunEvent[] = [];
  let end: () => void = () => undefined;
  const over = new Promise<void>((resolve) => (end = resolve));
  const post = (event: RunEvent): void => {
    if (event.kind !== 'ready' && event.kind !== 'run-started') log.push(withoutTimes(event));
    if (event.kind === 'failed' || (event.kind === 'status' && event.status === 'finished')) end();
  };
  const fetchWeights = (): Promise<ArrayBuffer> =>
    Promise.reject(new Error('random parameters need no file'));
  const engine = new Engine({ post, openBackend: () => openGpuBackend(), fetchWeights });
  const edit =
    source === null ? null : ({ name: 'policy_loss', source, gradientCheck: 'unchecked' } as const);
  await engine.dispatch({ kind: 'open', config: withKernel(tinyRun(0), edit) });
  await engine.dispatch({ kind: 'check-steps' });
  await engine.dispatch({ kind: 'play' });
  await over;
  await engine.dispose();
  return log;
}

type Of<Kind extends RunEvent['kind']> = Extract<RunEvent, { kind: Kind }>;
const only = <Kind extends RunEvent['kind']>(log: readonly RunEvent[], kind: Kind): Of<Kind>[] =>
  log.filter((event): event is Of<Kind> => event.kind === kind);

test('the original text gives the same events bit for bit; another one another loss, with honest step checks', async () => {
  const plain = await eventsOf(null);
  const own = kernels.policy_loss.source;
  const same = await eventsOf(`${own}\n// a remark\n`);
  expect(only(plain, 'failed')).toEqual([]);
  const rest = (log: readonly RunEvent[]) => log.filter(({ kind }) => kind !== 'step-check');
  expect(rest(same)).toEqual(rest(plain));
  const [asFormula] = only(plain, 'step-check')[0].steps;
  const [onDevice] = only(same, 'step-check')[0].steps;
  expect(onDevice.lossAfter).toBeCloseTo(asFormula.lossAfter, 5);

  const text = own.replace('tokenLoss[s] = term.loss;', 'tokenLoss[s] = term.loss + 1.0;');
  const other = await eventsOf(text);
  const [before, after] = [only(plain, 'loss')[0], only(other, 'loss')[0]];
  expect(after.rows[0].dlogProb).toEqual(before.rows[0].dlogProb);
  expect(after.loss - before.loss).toBeCloseTo(1, 4); // the weights of a mini-batch sum to 1
  const [shifted] = only(other, 'step-check')[0].steps;
  expect(shifted.lossBefore - asFormula.lossBefore).toBeCloseTo(1, 4);
  expect(shifted.lossAfter - asFormula.lossAfter).toBeCloseTo(1, 4);
});

test('a run whose text does not compile is refused with its line', async () => {
  const [failed] = only(await eventsOf('fn main( {'), 'failed');
  expect(failed.report.what).toContain('policy_loss does not compile');
  expect(failed.report.where).toContain('policy_loss.wgsl:1');
});
