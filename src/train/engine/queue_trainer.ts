/** Trains the runs of a page's queue one after another, in an engine of their own beside the page's. */
import { isHeadline, isLogged } from '../../protocol/protocol.ts';
import type { Budget } from '../../experiment/budget.ts';
import type { RunConfig } from '../../units.ts';
import type { EngineClient } from './client.ts';
import { condense, labConfig, resultOf, type LabOptions } from './lab.ts';
import { isKind, play, type Earlier, type Hold } from './lab_play.ts';

export interface QueuedRun {
  readonly config: RunConfig;
  readonly until: Budget | null;
  readonly earlier: Earlier | null; // null: from its start
}

/** How far a run is. */
export interface QueueProgress {
  readonly date: string; // of its start, ISO 8601
  readonly update: number; // that is over
  readonly updates: number; // at most
}

export interface QueueTrainer {
  /** What a run is asked to be, as a configuration. @throws RunConfigError */
  readonly configOf: (asked: LabOptions) => RunConfig;
  /** @returns its result, condensed; rejects with what went wrong, in words */
  readonly train: (
    run: QueuedRun,
    hold: Hold,
    tell: (progress: QueueProgress) => void,
  ) => Promise<ReturnType<typeof condense>>;
  /** Ends the engine, and with it the run under way, which then never ends. */
  readonly close: () => void;
}

/** @param start starts an engine that writes its runs down */
export function createQueueTrainer(start: () => EngineClient): QueueTrainer {
  let client: EngineClient | null = null;
  const close = (): void => {
    client?.close();
    client = null;
  };
  return {
    configOf: labConfig,
    async train({ config, until, earlier }, hold, tell) {
      const own = (client ??= start());
      let at = {
        date: earlier?.log.find(isKind('run-started'))?.date ?? '',
        update: earlier?.log.findLast(isKind('metrics'))?.update ?? 0,
      };
      const unhear = own.subscribe((event) => {
        if (!isLogged(event)) return;
        if (event.kind === 'run-started' && !earlier) at = { ...at, date: event.date };
        if (event.kind === 'metrics') at = { ...at, update: event.update };
        if (event.kind === 'metrics' || event.kind === 'run-started') tell({ ...at, updates: config.updates }); // prettier-ignore
      });
      try {
        const played = await play(own, { config, earlier }, () => undefined, {
          ...(until && { until }),
          ...{ hold, wants: isHeadline },
        });
        const result = condense(await resultOf(own, played));
        own.send({ kind: 'close' });
        return result;
      } catch (error) {
        close(); // another begins on a device of its own
        throw error;
      } finally {
        unhear();
      }
    },
    close,
  };
}
