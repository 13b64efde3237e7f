import { expect, test } from 'vitest';
import { parseRunConfig } from '../../src/train/config/config.ts';
import { LabError } from '../../src/units.ts';
import { playedRun } from '../support/scripted_run.ts';
import { tiny, walked } from '../support/setting_walk.ts';
import { settingPaths } from '../support/settings.ts';

const SEED = 20261127;
const COUNT = 3000;

/** The report says which setting, what it was and what it may be, in a few lines. */
function expectClear(error: unknown, changed: readonly string[], known: ReadonlySet<string>): void {
  expect(error).toBeInstanceOf(LabError);
  const { report, message } = error as LabError;
  const named = report.where.replace(/^config\./, '');
  expect(known.has(named) || changed.includes(named), message).toBe(true);
  for (const part of [report.what, report.got, report.wanted, report.next]) expect(part).not.toBe('');
  expect(report.wanted, message).not.toMatch(/^(Object|NaN|undefined)$/);
  expect(message.length, message).toBeLessThan(1200); // lists of names are long
}

test(`of ${COUNT} configurations with a few settings that are anything at all, each is refused clearly or trains one tiny update`, async () => {
  let [refused, trained] = [0, 0];
  for (let n = 0; n < COUNT; n += 1) {
    const { config, changed } = walked(SEED, n);
    let accepted;
    try {
      accepted = parseRunConfig(config);
    } catch (error) {
      refused += 1;
      expectClear(error, changed, new Set(settingPaths(config)));
      continue;
    }
    const { events } = await playedRun(parseRunConfig(tiny(accepted)));
    const said = `${n}: ${changed.join(', ')}`;
    expect(events.filter(({ kind }) => kind === 'failed'), said).toEqual([]); // prettier-ignore
    expect(events.filter(({ kind }) => kind === 'metrics'), said).toHaveLength(1); // prettier-ignore
    for (const event of events) {
      if (event.kind === 'loss') expect(Number.isFinite(event.loss), said).toBe(true);
      if (event.kind === 'credit')
        for (const { advantages } of event.trees) expect(advantages.every(Number.isFinite), said).toBe(true);
    }
    trained += 1;
  }
  expect(refused).toBeGreaterThan(COUNT / 4);
  expect(trained).toBeGreaterThan(COUNT / 8);
}, 600_000); // some 500 runs; a machine that does other things too needs minutes
