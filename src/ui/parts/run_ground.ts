/** What can be asked of the run on screen when its weights are gone, and how it is got back: by training it again. */
import type { EngineState } from '../../store/lab/transport.ts';
import { LOADED_BY_HAND } from '../../units.ts';
import { useRecipe, useRun, useTransport } from './binding.ts';
import { formatMs } from './format.ts';

export interface RunGround {
  readonly engine: EngineState['kind'];
  readonly live: boolean; // else a recording
  readonly finished: boolean;
  readonly byHand: boolean; // the run started from a weights file that the person opened
  readonly forkedAfter: number | null; // the update of its parent that it goes on from; null: it is no fork
  readonly update: number; // on screen
  readonly ms: number; // that the run took to its end
}

/** Why the engine does not answer yet. */
export const ENGINE_WORDS = {
  resting: 'The engine is not started: the button below the view starts it.',
  starting: 'The engine is starting.',
} as const;

export function useRunGround(update: number): RunGround {
  const engine = useTransport((shown) => shown.engine.kind);
  const live = useTransport((shown) => shown.source === 'live');
  const finished = useRun((run) => run.status === 'finished');
  const byHand = useRecipe((config) => config.weights) === LOADED_BY_HAND;
  const forkedAfter = useRun(({ header }) =>
    header?.origin.kind === 'forked' ? header.origin.update : null,
  );
  const ms = useRun((run) =>
    run.updates
      .slice(0, update)
      .reduce((sum, { metrics }) => sum + (metrics ? metrics.rolloutMs + metrics.trainMs : 0), 0),
  );
  return { engine, live, finished, byHand, forkedAfter, update, ms };
}

/** What training again does, after a colon. */
export const trainAgainWords = ({ ms, forkedAfter }: Pick<RunGround, 'ms' | 'forkedAfter'>): string =>
  `the run is trained again from ${forkedAfter === null ? 'its configuration and seed' : `its parent’s state after update ${forkedAfter}`}, to here in about ${formatMs(ms)} at its own pace, and takes the place of what is on screen. The same device gives the same numbers; another may differ in the last digits.`;

/** Why a fork that is not the live run cannot be trained again. */
export const forkStartIsElsewhere = (after: number): string =>
  `This run is a fork: it begins with its parent’s state after update ${after}, which only a live run has at hand`;

/** Why a recording cannot be trained again, where it cannot. */
export const FILE_IS_GONE =
  'This recording started from a weights file opened by hand, which it does not hold';
