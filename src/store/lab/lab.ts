/** All slices of the page, made together. */
import type { RunCommand, RunEvent } from '../../protocol/protocol.ts';
import { LabError, type RunConfig } from '../../units.ts';
import type { Ask } from '../../train/inspect/index.ts';
import { decodeSelection } from '../place/address.ts';
import type { EventCodec } from '../record/event_log.ts';
import { createInspection, type Inspection } from '../ask/inspection.ts';
import { createInterventions, type Interventions } from '../ask/interventions.ts';
import { createReplays, type Replays } from '../ask/replays.ts';
import { createPlayer, type Player } from '../record/player.ts';
import type { ReadRecording } from '../record/read_record.ts';
import { createRunStore, createScreen, type RunStore, type Screen } from '../record/run.ts';
import { createReshaping, type Reshaping } from '../record/reshape.ts';
import { recipeChanges, runName, sameRun } from '../record/run_name.ts';
import { createStageStore, decodeStage, type StageStore } from '../place/stage.ts';
import { createSelectionStore, isElsewhere, lastNeeded, type SelectionStore } from '../place/selection.ts';
import type { Experiments } from '../experiment/experiments.ts';
import type { ExperimentTools } from '../experiment/held.ts';
import { createAdapters, noAdapterMemory, type AdapterMemory, type Adapters } from './adapters.ts';
import { createFork } from './fork.ts';
import { createShelf, type Shelf } from '../record/shelf.ts';
import { createArrival, type Arrival } from './arrival.ts';
import { createKept, NO_KEEPER, NO_TAB, type Kept, type KeeperEnd, type TabMemory } from './kept.ts';
import { createLessons, type Lessons } from '../lesson/lesson.ts';
import { createFiles, type Files, type FileTools } from './files.ts';
import { createImports, type Imports } from './imports.ts';
import { createTransport, type Transport } from './transport.ts';

export interface Lab {
  readonly run: Screen;
  readonly recorded: RunStore; // the shipped recording, as far as it was played
  readonly live: RunStore; // the engine's run
  /** The last update that has to be there to show what is selected, or what a lesson says; null: whatever there is. */
  readonly needed: () => number | null;
  readonly selection: SelectionStore;
  readonly stage: StageStore;
  readonly player: Player;
  readonly transport: Transport;
  readonly shelf: Shelf;
  /** Goes on from an update of the run on screen as a new run of this configuration. @returns whether it does */
  readonly fork: (config: RunConfig, update: number) => Promise<boolean>;
  readonly adapters: Adapters;
  readonly inspection: Inspection;
  readonly interventions: Interventions;
  readonly replays: Replays;
  readonly kept: Kept;
  readonly arrival: Arrival;
  readonly lessons: Lessons;
  readonly files: Files;
  readonly imports: Imports;
  readonly reshaping: Reshaping;
  /** Fetched when they are first asked for. */
  readonly experiments: () => Promise<Experiments>;
}

/** What the page has of the engine beside its commands and events. */
export interface EngineEnd {
  readonly ask: Ask;
  /** Ends the engine and starts another. */
  readonly restart: () => void;
  readonly rests: boolean; // it waits until somebody asks for it
  readonly adapter: AdapterMemory; // which it is started on
}

/** What makes runs last. */
export interface Keeping {
  readonly keeper: KeeperEnd;
  readonly tab: TabMemory;
  readonly tools?: FileTools | null;
  readonly experiments?: ExperimentTools | null;
  readonly follows?: boolean;
}

const noEngine = (): EngineEnd => ({
  ask: () => new Promise(() => undefined),
  restart: () => undefined,
  rests: false,
  adapter: noAdapterMemory(),
});

/**
 * @param send carries commands to the engine
 * @param hash the address the page was opened with
 * @param read reads recordings that the person opens
 * @param codec with it, old updates of a long run are compressed and read back, without it let go
 * @param engine answers questions, and can be started again
 * @param keeping writes runs down in this browser and opens and writes files; absent: nothing lasts. `follows`: the
 * address is this tab's own from before a reload, of a run that goes on: where it stood at the newest update, it follows
 */
export function createLab(
  send: (command: RunCommand) => void,
  hash = '',
  read: ReadRecording = readNothing,
  codec: EventCodec | null = null,
  engine: Partial<EngineEnd> = {},
  { keeper, tab, tools = null, experiments: experimentTools = null, follows = false }: Keeping = {
    keeper: NO_KEEPER,
    tab: NO_TAB,
  },
): Lab {
  const recorded = createRunStore({ codec });
  const live = createRunStore({ codec });
  const run = createScreen(recorded);
  const selection = createSelectionStore(
    decodeSelection(hash, follows),
    () => run.getState().updates.length || null,
  );
  const wantSelected = (): void => {
    const { update, pinned } = selection.getState();
    void run.want([update, pinned?.update].filter((number) => number != null));
  };
  selection.subscribe(wantSelected);
  wantSelected();
  const player = createPlayer(recorded.apply);
  const nameRun = (): void => {
    const { header, ready } = run.getState();
    if (!header || isElsewhere(selection.getState())) return; // a lesson's address says which run by itself
    const { run: name, recipe, placed } = selection.getState();
    const isOwn = name !== null && recipe === null && ready && sameRun(name, runName(header));
    const changes = !name || isOwn ? recipeChanges(header.config, ready) : null;
    if (!name || changes) selection.select({ run: runName(header), recipe: changes, placed });
  };
  run.subscribe(nameRun);
  const { ask, restart, rests, adapter } = { ...noEngine(), ...engine };
  const replays = createReplays({
    ...{ ask, run, shown: run.shown, report: run.report },
    standsAt: (update) => transport.standsAt(update),
    standsAfter: (update) => transport.standsAfter(update),
    checkpointOf: (date, update) => kept.checkpointOf(date, update),
    recordOf: (date) => recordOf(date),
  });
  const inspection = createInspection(replays.ask, run.report);
  const interventions = createInterventions({ run, selection, ask: replays.ask, report: run.report });
  const transport = createTransport({
    ...{ run, recorded, live, selection, player },
    ...{ send, restart, rests, inspection },
  });
  const empty = (): RunStore => createRunStore({ codec });
  const kept = createKept({
    ...{ shown: run.shown, keeper, transport, live, read, empty, tab, now: Date.now },
    edit: (record, edits) => reshaping.again(record, edits),
  });
  const reshaping = createReshaping({
    ...{ run, selection },
    remember(record, edits) {
      const entry = kept.entryOf(record);
      if (entry) void kept.change(entry.id, { edits });
    },
  });
  const shelf = createShelf(read, empty);
  const recordOf = async (date: string): Promise<RunStore | null> => {
    const atHand = [live, recorded, ...shelf.getState().runs.map(({ record }) => record)];
    const here = atHand.find((record) => record.getState().header?.date === date);
    if (here) return here;
    const entry = kept.getState().entries.find(({ created, removed }) => created === date && !removed);
    return entry ? kept.load(entry.id) : null;
  };
  const arrival = createArrival({ run, recorded, live, selection, transport, shelf, kept, empty });
  const lessons = createLessons({
    ...{ run, recorded, selection, transport, empty },
    readFile: (name) => readSiteFile(name, read),
  });
  const imports = createImports({
    tools,
    shelf,
    kept,
    transport,
    run,
    selection,
    read,
    empty,
    want: wantSelected,
    standing: reshaping.standing,
  });
  selection.subscribe(nameRun); // after the lessons, which put the person's own run back where one is left
  const needed = (): number | null => {
    const [last, { needs }] = [lastNeeded(selection.getState()), lessons.getState()];
    return last === null && needs === 0 ? null : Math.max(last ?? 0, needs);
  };
  /** A link in the open page, or a lesson, may lead to what the recording has not come to yet. */
  const playOn = (): void => {
    const last = needed();
    const isRecorded = transport.getState().source === 'recorded';
    if (isRecorded && last !== null && last > run.getState().updates.length) player.seek(last);
  };
  selection.subscribe(playOn);
  lessons.subscribe(playOn);
  let experiments: Promise<Experiments> | null = null;
  const fetchExperiments = async (): Promise<Experiments> => {
    const [{ createExperiments }, { NO_EXPERIMENTS }] = await Promise.all([
      import('../experiment/experiments.ts'),
      import('../experiment/held.ts'),
    ]);
    const own = experimentTools ?? NO_EXPERIMENTS;
    return createExperiments({ tools: own, kept, keeper, transport, selection, read, now: Date.now });
  };
  return {
    run,
    lessons,
    needed,
    recorded,
    live,
    selection,
    stage: createStageStore(decodeStage(hash)),
    player,
    transport,
    adapters: createAdapters({ memory: adapter, ask, live, transport, shelf, kept, report: run.report }),
    inspection,
    interventions,
    replays,
    kept,
    shelf,
    fork: createFork({ run, transport, shelf, replays, ask, report: run.report }),
    arrival,
    imports,
    reshaping,
    experiments() {
      experiments ??= fetchExperiments();
      experiments.catch(() => (experiments = null)); // asked again, it is fetched again
      return experiments;
    },
    files: createFiles({ tools, keeper, kept, shelf, transport, run, selection, live, ask, imports }),
  };
}

/** A run that lies beside the page. */
async function* readSiteFile(name: string, read: ReadRecording): AsyncIterable<RunEvent> {
  const address = new URL(name, document.baseURI).href;
  const response = await fetch(address);
  if (!response.ok)
    throw new LabError('LessonFileError', {
      what: 'A run that the lesson is about could not be loaded',
      where: address,
      got: `status ${response.status}`,
      wanted: 'a recording',
      next: 'Look whether you are online and open the lesson again.',
    });
  yield* read(await response.blob());
}

async function* readNothing(): AsyncIterable<never> {}
