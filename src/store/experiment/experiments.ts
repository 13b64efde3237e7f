/**
 * Experiments of this browser: what is compared, which of its runs are there, and the queue that trains the others, one
 * after another, in an engine beside the page's. Every run is a kept run; a reload goes on where it was.
 */
import { createStore, type StoreApi } from 'zustand/vanilla';
import { NOTHING_SPENT, spend } from '../../experiment/budget.ts';
import { plannedRuns, type Experiment, type PlannedRun } from '../../experiment/experiment.ts';
import { checkRunFile, type RunFile } from '../../experiment/results.ts';
import { isHeadline, type RunEvent } from '../../protocol/protocol.ts';
import { LabError, type RunConfig } from '../../units.ts';
import type { Kept, KeeperEnd, KeptEntry } from '../lab/kept.ts';
import { same } from '../lab/open_run.ts';
import type { Transport } from '../lab/transport.ts';
import type { SelectionStore } from '../place/selection.ts';
import { soFar, type ReadRecording } from '../record/read_record.ts';
import {
  heldFrom,
  heldRun,
  missingRuns,
  reportOf,
  shippedId,
  type Earlier,
  type ExperimentsState,
  type ExperimentTable,
  type ExperimentTools,
  type HeldExperiment,
  type HeldRun,
  type Hold,
  type TrainerEnd,
} from './held.ts';

export interface ExperimentParts {
  readonly tools: ExperimentTools;
  readonly kept: Kept;
  readonly keeper: KeeperEnd;
  readonly transport: Transport;
  readonly selection: SelectionStore;
  readonly read: ReadRecording;
  readonly now: () => number; // ms
}

/** Where a point leads. */
export type Opened = 'shown' | 'gone'; // gone: this browser keeps no such run

export interface Experiments extends StoreApi<ExperimentsState> {
  /** Resolves when what this browser keeps is read, and what is shipped is known. */
  readonly ready: Promise<void>;
  /** Puts an experiment at the end of the queue. @throws RunConfigError of settings that no run can have */
  readonly start: (experiment: Experiment) => Promise<string>;
  /** Reads the file of a shipped experiment, where it is not read yet. */
  readonly load: (id: string) => Promise<void>;
  readonly pause: (id: string) => void;
  /** Its missing runs, failed ones too, are trained. */
  readonly resume: (id: string) => void;
  readonly remove: (id: string, isRemoved: boolean) => void;
  /** An experiment with its runs, or one that has none. @throws ExperimentError */
  readonly openFile: (file: Blob, name: string) => Promise<string>;
  /** Shows a run, at this update or its newest. */
  readonly show: (id: string, run: string, update: number | null) => Promise<Opened>;
  /** Makes the configuration of a run the next that is trained live. */
  readonly draft: (id: string, run: string) => Promise<void>;
  readonly dismiss: () => void;
}

const KEPT_MS = 10_000; // an update is written down in less, or it was not
const LOOK_MS = 3000; // between two looks at what another tab has trained
const MOST_TRIES = 3; // of a run whose device is lost

const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

class Left extends Error {} // for another experiment's run

export function createExperiments(parts: ExperimentParts): Experiments {
  const { tools, kept, keeper, transport, selection } = parts;
  const store = createStore<ExperimentsState>(() => ({
    ...{ isRead: false, experiments: [], shipped: [], underWay: null, isElsewhere: false, trouble: null },
  }));
  const { getState: state } = store;
  let table: ExperimentTable | null = null; // null: nothing lasts
  let trainer: TrainerEnd | null = null;
  let isWorking = false;

  const heldBy = (id: string): HeldExperiment | null =>
    state().experiments.find((each) => each.id === id) ?? null;
  const fail = (error: unknown, what: string): void => store.setState({ trouble: reportOf(error, what) });

  const hasWork = (held: HeldExperiment): boolean =>
    held.isWanted && !held.removed && missingRuns(held).length > 0;

  /** Puts it in its place, and on disk. */
  const put = (held: HeldExperiment): void => {
    const { experiments } = state();
    const isKnown = experiments.some(({ id }) => id === held.id);
    store.setState({
      experiments: isKnown
        ? experiments.map((each) => (each.id === held.id ? held : each))
        : [held, ...experiments],
    });
    tools.remember(state().experiments.some(hasWork));
    if (held.origin === 'shipped') return;
    table?.put(held).catch((error: unknown) => fail(error, 'An experiment is no longer written down'));
  };
  const change = (id: string, of: (held: HeldExperiment) => Partial<HeldExperiment>): void => {
    const held = heldBy(id);
    if (held) put({ ...held, ...of(held) });
  };
  const changeRun = (id: string, run: string, changed: Partial<HeldRun>): void =>
    change(id, (held) => ({
      runs: { ...held.runs, [run]: { ...heldRun(held, { id: run }), ...changed } },
    }));

  const entryOf = (date: string | null): KeptEntry | null =>
    kept.getState().entries.find(({ created, removed }) => created === date && removed === null) ?? null;

  /** A run that was begun: from its newest checkpoint, where there is one. */
  const earlierOf = async (date: string | null, config: RunConfig): Promise<Earlier | null> => {
    if (date !== null && kept.getState().entries.length === 0) await kept.refresh();
    const entry = entryOf(date);
    if (!entry || !same(entry.config, config)) return null;
    const checkpoint = await keeper.goOn(entry.id);
    if (!checkpoint) return null;
    const log: RunEvent[] = [];
    let used = NOTHING_SPENT;
    for await (const event of soFar(parts.read(await keeper.open(entry.id)))) {
      used = spend(used, event);
      if (isHeadline(event)) log.push(event);
    }
    return { log, used, checkpoint: checkpoint.bytes.buffer, kept: entry.id };
  };

  const nameKept = (held: HeldExperiment, { id, arm, task, seed }: PlannedRun): void => {
    const entry = entryOf(heldRun(held, { id }).date);
    const isOneTask = held.experiment.tasks.length === 1;
    if (entry?.name === null)
      void kept.change(entry.id, {
        name: `${held.experiment.name}: ${arm}${isOneTask ? '' : `, ${task}`}, seed ${seed}`,
      });
  };

  /** Until the run's last update is kept, too: a reload would cut it off. Where none of it was kept, nothing is waited for. */
  const writtenDown = ({ date, used: { updates } }: RunFile): Promise<void> =>
    new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        unsubscribe();
        resolve();
      };
      const look = (): void => {
        const entry = entryOf(date);
        if (!entry || entry.update >= updates || kept.getState().trouble !== null) end();
      };
      const timer = setTimeout(end, KEPT_MS);
      const unsubscribe = kept.subscribe(look);
      look();
    });

  /** Trains one run to its end. @throws Left where it was held and another experiment is wanted */
  const trainOne = async (id: string, run: PlannedRun): Promise<void> => {
    trainer ??= await tools.trainer();
    const own = trainer;
    const config = own.configOf(run.asked);
    const { date } = heldRun(heldBy(id)!, run);
    const earlier = await earlierOf(date, config).catch((error: unknown) => {
      changeRun(id, run.id, { date: null }); // what cannot be read is begun anew when it is tried again
      throw error;
    });
    const isHeld = (): boolean => !heldBy(id)?.isWanted || heldBy(id)?.removed === true;
    const startMs = parts.now();
    let first: number | null = null; // update that was over when it began here
    const under = { experiment: id, run: run.id, updates: config.updates };
    store.setState({ underWay: { ...under, update: 0, secondsPerUpdate: null } });
    const subscribed = new Set<() => void>(); // a run that was left hears nothing more: it would start its engine again
    const subscribe = (hear: () => void): (() => void) => {
      const end = store.subscribe(hear);
      subscribed.add(end);
      return end;
    };
    const hold: Hold = {
      isHeld,
      subscribe(hear) {
        let was = isHeld();
        return subscribe(() => {
          if (isHeld() === was) return;
          was = !was;
          hear();
        });
      },
    };
    const leaving = new Promise<never>((_, leave) => {
      subscribe(() => {
        const isOff = heldBy(id)?.removed !== false;
        const isOther = state().experiments.some((each) => each.id !== id && hasWork(each));
        if (isHeld() && (isOff || isOther)) leave(new Left());
      });
    });
    try {
      const training = own.train({ config, until: run.asked.until, earlier }, hold, (progress) => {
        first ??= progress.update;
        const count = progress.update - first;
        const held = heldBy(id);
        if (held && heldRun(held, run).date !== progress.date) changeRun(id, run.id, { date: progress.date });
        if (held) nameKept(held, run);
        store.setState({
          underWay: {
            ...{ ...under, update: progress.update },
            secondsPerUpdate: count > 0 ? (parts.now() - startMs) / 1000 / count : null,
          },
        });
      }); // prettier-ignore
      const result = await Promise.race([training, leaving]);
      const file = checkRunFile({ id: run.id, options: run.options, ...result }, run, run.id);
      await writtenDown(file);
      changeRun(id, run.id, { date: file.date, file, failure: null });
      nameKept(heldBy(id)!, run);
    } catch (error) {
      if (error instanceof Left) closeTrainer(); // its newest checkpoint is at most half a minute old
      throw error;
    } finally {
      subscribed.forEach((end) => end());
      store.setState({ underWay: null });
    }
  };
  const closeTrainer = (): void => {
    trainer?.close();
    trainer = null;
  };

  const tries = new Map<string, number>();
  /** No run can be trained: none is tried, and none fails. */
  const isOff = (): boolean => transport.getState().engine.kind === 'unavailable';
  const next = (): readonly [string, PlannedRun] | null => {
    if (isOff()) return null;
    const held = state().experiments.filter(hasWork).at(-1); // the oldest
    return held ? [held.id, missingRuns(held)[0]] : null;
  };
  const workOff = async (): Promise<void> => {
    for (let at = next(); at; at = next()) {
      const [id, run] = at;
      try {
        await trainOne(id, run);
      } catch (error) {
        if (error instanceof Left) continue;
        if (isOff()) return;
        const key = `${id} ${run.id}`;
        tries.set(key, (tries.get(key) ?? 0) + 1);
        if ((tries.get(key) ?? 0) >= MOST_TRIES || error instanceof LabError)
          changeRun(id, run.id, { failure: wordsOf(error) });
      }
    }
  };

  /** What the other tab has trained is read while it trains. */
  const follow = async (): Promise<void> => {
    while (state().isElsewhere) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
      if (state().isElsewhere) await readTable().catch(() => undefined); // it is read again
    }
  };

  const work = (): void => {
    if (isWorking || isOff() || !state().experiments.some(hasWork)) return;
    isWorking = true;
    void tools
      .alone(
        () => {
          store.setState({ isElsewhere: true });
          void follow();
        },
        async () => {
          if (state().isElsewhere) await readTable(); // the other tab has trained some
          store.setState({ isElsewhere: false });
          await workOff();
        },
      )
      .then(
        () => true,
        (error: unknown) => (fail(error, 'The queue of experiments stopped'), false),
      )
      .then((isWell) => {
        isWorking = false;
        closeTrainer();
        if (isWell) work(); // what was wanted meanwhile
      });
  };

  const readTable = async (): Promise<void> => {
    table ??= await tools.table();
    const before = state().experiments;
    const all = await table.all();
    if (state().experiments !== before) return readTable(); // one that was put meanwhile is not in it
    // Deleted before this page was opened: nobody takes it back.
    const gone = state().isRead ? [] : all.filter(({ removed }) => removed);
    for (const { id } of gone) void table.delete(id);
    const there = all.filter((held) => !gone.includes(held));
    const shipped = state().experiments.filter(({ origin }) => origin === 'shipped');
    store.setState({
      experiments: [...there.toSorted((a, b) => (a.created < b.created ? 1 : -1)), ...shipped],
    });
  };

  const nowDate = (): string => new Date(parts.now()).toISOString();

  const loaded = new Set<string>();
  const load = async (id: string): Promise<void> => {
    const { file } = state().shipped.find((each) => shippedId(each) === id) ?? {};
    if (file === undefined || loaded.has(id)) return;
    loaded.add(id);
    try {
      const held = heldFrom(await tools.shippedText(file), file, 'shipped', nowDate());
      store.setState(({ experiments }) => ({ experiments: [...experiments, held] }));
    } catch (error) {
      loaded.delete(id); // another choice tries again
      fail(error, 'This experiment could not be loaded');
    }
  };

  const ready = Promise.allSettled([readTable(), tools.shipped()]).then(([read, shipped]) => {
    if (shipped.status === 'fulfilled') store.setState({ shipped: shipped.value });
    else fail(shipped.reason, 'The experiments of this site could not be loaded');
    if (read.status === 'rejected') fail(read.reason, 'Experiments are not kept in this browser');
    store.setState({ isRead: true });
    work();
    transport.subscribe(work); // where the engine is there again
  });

  /** @throws RunConfigError, ExperimentError */
  const checkAll = async (experiment: Experiment): Promise<void> => {
    trainer ??= await tools.trainer();
    const [seed] = experiment.seeds;
    for (const { asked } of plannedRuns({ ...experiment, seeds: [seed] })) trainer.configOf(asked);
  };

  return {
    ...store,
    ready,
    async start(experiment) {
      await ready;
      await checkAll(experiment);
      const created = nowDate();
      const id = `${created} ${experiment.name}`;
      put({ id, created, origin: 'made here', experiment, runs: {}, isWanted: true, removed: false });
      work();
      return id;
    },
    load,
    pause: (id) => change(id, () => ({ isWanted: false })),
    resume(id) {
      const held = heldBy(id);
      if (!held) return;
      const runs = Object.entries(held.runs).map(([run, each]) => [run, { ...each, failure: null }] as const);
      for (const run of Object.keys(held.runs)) tries.delete(`${id} ${run}`);
      const own = { ...held, runs: Object.fromEntries(runs), isWanted: true };
      // What is shipped is not changed: its missing runs are trained in a copy.
      if (held.origin !== 'shipped') put(own);
      else {
        const created = nowDate();
        put({ ...own, id: `${created} ${held.experiment.name}`, created, origin: 'made here' });
      }
      work();
    },
    remove(id, isRemoved) {
      change(id, () => ({ removed: isRemoved }));
      work();
    },
    async openFile(file, name) {
      await ready;
      const held = heldFrom(await file.text(), name, 'file', nowDate());
      put(held);
      return held.id;
    },
    async show(id, run, update) {
      const held = heldBy(id);
      const date = held ? heldRun(held, { id: run }).date : null;
      if (date !== null && !entryOf(date)) await kept.refresh().catch(() => undefined);
      const entry = entryOf(date);
      if (!entry) return 'gone';
      await kept.show(entry.id);
      selection.select({ view: 'train', update });
      return 'shown';
    },
    async draft(id, run) {
      const held = heldBy(id);
      const planned = held && plannedRuns(held.experiment).find((each) => each.id === run);
      if (!planned) return;
      trainer ??= await tools.trainer();
      transport.setDraft(trainer.configOf(planned.asked));
      selection.select({ view: 'train' });
    },
    dismiss: () => store.setState({ trouble: null }),
  };
}
