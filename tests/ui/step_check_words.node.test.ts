import { expect, test } from 'vitest';
import { checkOffer } from '../../src/ui/loss/StepCheck.tsx';
import type { RunGround } from '../../src/ui/parts/run_ground.ts';

const GROUND: RunGround = {
  ...{
    engine: 'ready',
    live: true,
    finished: false,
    byHand: false,
    forkedAfter: null,
    update: 7,
    ms: 65_000,
  },
};
const offer = (change: Partial<RunGround>) => checkOffer({ ...GROUND, ...change });

test('a live run that goes on is checked at its next update', () => {
  expect(offer({})).toMatchObject({ how: 'next', note: expect.stringContaining('bit for bit') as string });
});

test('a run that is over, and a recorded one, are trained again to the update on screen', () => {
  const over = offer({ finished: true });
  expect(over).toMatchObject({ how: 'again', button: 'Train again to update 7 and check it' });
  expect(over.note).toContain('The run is over');
  expect(offer({ live: false }).note).toContain('A recording holds no weights');
});

test('a fork is trained again from its parent’s state, which only the live one has', () => {
  const live = offer({ finished: true, forkedAfter: 4 });
  expect(live.how).toBe('again');
  expect(live.note).toContain('trained again from its parent’s state after update 4');
  const shown = offer({ live: false, forkedAfter: 4 });
  expect(shown.how).toBe(null);
  expect(shown.note).toContain('begins with its parent’s state after update 4');
});

test('what cannot be asked for says what is missing', () => {
  expect(offer({ engine: 'unavailable', live: false })).toMatchObject({ how: null, note: expect.stringContaining('WebGPU') as string }); // prettier-ignore
  expect(offer({ live: false, byHand: true })).toMatchObject({ how: null, note: expect.stringContaining('opened by hand') as string }); // prettier-ignore
  expect(offer({ live: true, finished: true, byHand: true }).how).toBe('again'); // the engine still has the file
});
