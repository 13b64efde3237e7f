import { describe, expect, test } from 'vitest';
import { algorithms } from '../../src/algo/catalogue/index.ts';
import { parseLoggedEvent } from '../../src/protocol/log.ts';
import { LogOrder } from '../../src/protocol/log_order.ts';
import { withAlgorithm } from '../../src/train/config/presets.ts';
import { isLogged } from '../../src/protocol/protocol.ts';
import type { RunConfig } from '../../src/units.ts';
import { scriptedRun, smallConfig } from '../support/scripted_run.ts';

const evaluation = { every: 0, questions: 2, datasets: ['hotpot'] };
const configOf = (name: keyof typeof algorithms): RunConfig =>
  withAlgorithm(
    smallConfig({ promptsPerUpdate: 4, promptsPerMinibatch: 2, evaluation }),
    algorithms[name].config,
  );

describe.each(Object.keys(algorithms) as (keyof typeof algorithms)[])('a run of %s', (name) => {
  test('ends, and the same seed gives the same log, which reads back in order', async () => {
    const log = await scriptedRun(configOf(name));
    const failures = log.flatMap((event) => (event.kind === 'failed' ? [event.report] : []));
    expect(failures).toEqual([]);
    expect(log.filter(({ kind }) => kind === 'metrics')).toHaveLength(2);
    expect(await scriptedRun(configOf(name))).toEqual(log);
    const order = new LogOrder();
    for (const event of log.filter(isLogged)) {
      order.check(event, event.kind);
      const stored = JSON.parse(JSON.stringify(event)) as unknown;
      expect(parseLoggedEvent(stored, event.kind)).toEqual(stored);
    }
  });
});
