import { expect, test } from 'vitest';
import { kernels } from '../../shaders/index.ts';
import { Engine } from '../../src/train/engine/engine.ts';
import { openGpuBackend } from '../../src/train/engine/gpu_backend.ts';
import type { CheckedStep, EngineEvent } from '../../src/protocol/protocol.ts';
import { withKernel } from '../../src/units.ts';
import { withoutTimes } from '../support/scripted_run.ts';
import { lentGpu } from '../support/shared_gpu.ts';
import { tinyRun } from '../support/tiny_run.ts';

/** All events of a run, but for what names it. */
async function eventsOf(
  source: string | null,
): Promise<{ readonly log: readonly EngineEvent[]; readonly steps: readonly CheckedStep[] }> {
  const log: EngineEvent[] = [];
  let end: () => void = () => undefined;
  const over = new Promise<void>((resolve) => (end = resolve));
  const post = (event: EngineEvent): void => {
    if (event.kind !== 'ready' && event.kind !== 'run-started') log.push(withoutTimes(event));
    if (event.kind === 'failed' || (event.kind === 'status' && event.status === 'finished')) end();
  };
  const fetchWeights = (): Promise<ArrayBuffer> =>
    Promise.reject(new Error('random parameters need no file'));
  const engine = new Engine({ post, openBackend: () => openGpuBackend({ gpu: lentGpu }), fetchWeights });
  const edit =
    source === null ? null : ({ name: 'policy_loss', source, gradientCheck: 'unchecked' } as const);
  await engine.dispatch({ kind: 'open', config: withKernel(tinyRun(0), edit) });
  const checking = engine.ask({ kind: 'check-steps' }).then(({ steps }) => steps, () => []); // prettier-ignore
  await engine.dispatch({ kind: 'play' });
  await over;
  await engine.dispose();
  return { log, steps: await checking };
}

type Of<Kind extends EngineEvent['kind']> = Extract<EngineEvent, { kind: Kind }>;
const only = <Kind extends EngineEvent['kind']>(log: readonly EngineEvent[], kind: Kind): Of<Kind>[] =>
  log.filter((event): event is Of<Kind> => event.kind === kind);

test('the original text gives the same events bit for bit; another one another loss, with honest step checks', async () => {
  const plain = await eventsOf(null);
  const own = kernels.policy_loss.source;
  const same = await eventsOf(`${own}\n// a remark\n`);
  expect(only(plain.log, 'failed')).toEqual([]);
  expect(same.log).toEqual(plain.log);
  const [asFormula] = plain.steps;
  const [onDevice] = same.steps;
  expect(onDevice.lossAfter).toBeCloseTo(asFormula.lossAfter, 5);

  const text = own.replace('tokenLoss[s] = term.loss;', 'tokenLoss[s] = term.loss + 1.0;');
  const other = await eventsOf(text);
  const [before, after] = [only(plain.log, 'loss')[0], only(other.log, 'loss')[0]];
  expect(after.rows[0].dlogProb).toEqual(before.rows[0].dlogProb);
  expect(after.loss - before.loss).toBeCloseTo(1, 4); // the weights of a mini-batch sum to 1
  const [shifted] = other.steps;
  expect(shifted.lossBefore - asFormula.lossBefore).toBeCloseTo(1, 4);
  expect(shifted.lossAfter - asFormula.lossAfter).toBeCloseTo(1, 4);
});

test('a run whose text does not compile is refused with its line', async () => {
  const [failed] = only((await eventsOf('fn main( {')).log, 'failed');
  expect(failed.report.what).toContain('policy_loss does not compile');
  expect(failed.report.where).toContain('policy_loss.wgsl:1');
});
