/** Composition root: one lab, one engine, one page. */
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { importInWorker, lookInWorker, openBundleInWorker, readInWorker } from './files/file_reader.ts';
import { rangesOf, type RecordingIndex } from './files/members.ts';
import { createLab, type Lab } from './store/lab/lab.ts';
import {
  followAddress,
  isEmbedded,
  mirrorSelection,
  OWN_ENTRY,
  withoutHistory,
} from './store/place/address.ts';
import { isElsewhere, lastNeeded } from './store/place/selection.ts';
import type { EventCodec } from './store/record/event_log.ts';
import { createPump } from './store/record/pump.ts';
import type { ExperimentTools, HeldExperiment, ShippedExperiment } from './store/experiment/held.ts';
import { startKeeper, type KeeperClient } from './keep/keeper_client.ts';
import type { KeeperNews } from './keep/entry.ts';
import type { RunEvent } from './protocol/protocol.ts';
import { NO_KEEPER, NO_TAB, type TabMemory } from './store/lab/kept.ts';
import type { AdapterMemory } from './store/lab/adapters.ts';
import { startEngine, startWorker, type EngineClient } from './train/engine/client.ts';
import { App } from './ui/shell/App.tsx';
import { keepOffline } from './ui/shell/NewVersion.tsx';
import { LabError, type ErrorReport } from './units.ts';

const recordings = () => import('./files/recording.ts'); // and the log's schema: not before a run is written or read back
const codec: EventCodec = {
  write: async (events) => (await recordings()).writeRecording(events),
  async *read(stream) {
    yield* (await recordings()).readLogPart(stream);
  },
};

const RECORDING = 'recorded-instant.ndjson.members';
const INDEX = 'recorded-instant.index.json';
const HIDDEN_TAB_MS = 250; // animation frames stop in hidden tabs; training does not
const GIVE_WAY_MS = 40; // between two signs of a person that the engine is told of

/** Calls `work` once a frame. */
function everyFrame(work: (nowMs: number) => void): void {
  const next = (): void => {
    if (document.hidden) setTimeout(run, HIDDEN_TAB_MS);
    else requestAnimationFrame(run);
  };
  const run = (): void => {
    next(); // first: an error in one frame must not be the last frame
    work(performance.now());
  };
  next();
}

/** Tells the engines when a person presses, types, drags or turns the wheel: the page's answer comes first. */
function giveWayToPerson(engines: ReadonlySet<EngineClient>): void {
  let toldMs = -Infinity;
  const tell = (event: Event): void => {
    const passing = event.type === 'pointermove' && (event as PointerEvent).buttons === 0;
    if (passing || event.timeStamp - toldMs < GIVE_WAY_MS) return;
    toldMs = event.timeStamp;
    for (const engine of engines) engine.giveWay();
  };
  for (const type of ['pointerdown', 'pointerup', 'pointermove', 'keydown', 'wheel', 'input'])
    window.addEventListener(type, tell, { capture: true, passive: true });
}

function reportOf(error: unknown, where: string): ErrorReport {
  if (error instanceof LabError) return error.report;
  return {
    what: 'The page ran into an error',
    where,
    got: error instanceof Error ? error.message : String(error),
    wanted: 'no error',
    next: 'What was recorded stays. Train a run here with Train live, or reload the page.',
  };
}

const recordingUrl = (file = RECORDING): string => new URL(file, document.baseURI).href;

/** Null where the host has none, or sends something else. */
async function readIndex(): Promise<RecordingIndex | null> {
  try {
    const { lengths } = (await (await fetch(recordingUrl(INDEX))).json()) as Partial<RecordingIndex>;
    return lengths?.every(Number.isSafeInteger) ? { lengths } : null;
  } catch {
    return null;
  }
}

/** The update that a link asks for, before the rest; a host that sends no ranges sends it in its turn. */
async function readAhead(lab: Lab, index: RecordingIndex, update: number): Promise<void> {
  const ranges = rangesOf(index, update);
  if (!ranges) return;
  lab.arrival.await(update);
  try {
    const events: RunEvent[] = [];
    for await (const event of readInWorker({ url: recordingUrl(), ranges })) events.push(event);
    lab.arrival.readAhead(events);
  } catch (error) {
    console.info('The update is not read ahead of the recording:', error);
  }
}

/**
 * Streams the recorded run into the player; the update that a link asks for is shown as soon as it is there.
 * @param isFirst it is what the page shows
 */
async function loadRecording(lab: Lab, isFirst: boolean): Promise<void> {
  const isLesson = isElsewhere(lab.selection.getState()); // which asks for its update when it is loaded itself
  const wanted = isFirst && !isLesson ? lastNeeded(lab.selection.getState()) : null;
  const index = wanted === null ? null : await readIndex();
  if (index && wanted !== null) await readAhead(lab, index, wanted);
  const total = index?.lengths.reduce((sum, length) => sum + length, 0) ?? Infinity;
  const onProgress = ({ bytes }: { readonly bytes: number }): void =>
    lab.arrival.progress(Math.min(bytes / total, 0.99));
  let isThere = false;
  let isShown = wanted === null;
  try {
    for await (const event of readInWorker(recordingUrl(), { onProgress })) {
      const isHeld = isLesson || lab.stage.getState().presented; // there nothing moves by itself
      if (!isThere && isFirst && wanted === null && !isHeld) lab.player.play();
      isThere = true;
      lab.player.add([event]);
      const asked = isFirst && event.kind === 'metrics' ? lab.needed() : null;
      if (event.kind !== 'metrics' || (event.update !== wanted && event.update !== asked)) continue;
      isShown ||= event.update === wanted;
      if (lab.run.getState().updates.length < event.update || event.update === wanted)
        lab.player.seek(event.update);
    }
  } finally {
    lab.arrival.progress(1);
    if (isThere) lab.player.finish(); // of a file that broke off too: what came is the whole of it
  }
  if (wanted !== null && !isShown) lab.player.seek(wanted); // a run that ends before: all of it
}

const LIVE_RUN = 'turnwise live run';

/** In the tab's own storage, which a reload and a restored tab keep, and another tab does not see. */
function tabMemory(): TabMemory {
  try {
    const { sessionStorage } = window;
    return {
      get() {
        const text = sessionStorage.getItem(LIVE_RUN);
        return text === null ? null : (JSON.parse(text) as ReturnType<TabMemory['get']>);
      },
      set(live) {
        if (live) sessionStorage.setItem(LIVE_RUN, JSON.stringify(live));
        else sessionStorage.removeItem(LIVE_RUN);
      },
    };
  } catch {
    return { get: () => null, set: () => undefined }; // storage is refused
  }
}

const ADAPTER = 'turnwise-adapter';

/** The kind of adapter that a person chose in this browser. */
function adapterMemory(): AdapterMemory {
  let chosen: GPUPowerPreference | null = null; // where storage is refused, it lasts as long as the page
  const stored = (): string | null => {
    try {
      return localStorage.getItem(ADAPTER);
    } catch {
      return null;
    }
  };
  return {
    get: () => chosen ?? (stored() === 'low-power' ? 'low-power' : 'high-performance'),
    set(wanted) {
      chosen = wanted;
      try {
        localStorage.setItem(ADAPTER, wanted);
      } catch {
        // as above
      }
    },
  };
}

const QUEUE = 'turnwise experiments'; // a lock, and a mark that its queue has work

/** A file among the experiments that are shipped. @throws Error where the site does not have it */
async function shippedText(file: string): Promise<string> {
  const response = await fetch(recordingUrl(`experiments/${file}`));
  if (!response.ok) throw new Error(`${file}: status ${response.status}`);
  return response.text();
}

/** @param engines those that a person comes before */
function experimentTools(
  engines: Set<EngineClient>,
  keeper: KeeperClient,
  start: () => Worker,
): ExperimentTools {
  const startQueueEngine = (): EngineClient => {
    const engine = startEngine(start, undefined, () => keeper.join());
    engines.add(engine);
    const close = (): void => {
      engines.delete(engine);
      engine.close();
    };
    return { ...engine, close };
  };
  return {
    trainer: async () =>
      (await import('./train/engine/queue_trainer.ts')).createQueueTrainer(startQueueEngine),
    table: async () => (await import('./keep/table.ts')).openTable<HeldExperiment>(QUEUE, 'values'),
    async alone(isWaiting, work) {
      const isMine = await navigator.locks.request(QUEUE, { ifAvailable: true }, async (lock) => {
        if (lock) await work();
        return lock !== null;
      });
      if (isMine) return;
      isWaiting();
      await navigator.locks.request(QUEUE, work);
    },
    shipped: async () => JSON.parse(await shippedText('index.json')) as readonly ShippedExperiment[],
    shippedText,
    remember(hasWork) {
      try {
        if (hasWork) localStorage.setItem(QUEUE, 'on');
        else localStorage.removeItem(QUEUE);
      } catch {
        // storage is refused: nothing to go on with
      }
    },
  };
}

/** The queue of experiments had work when the page was left. */
function hasQueue(): boolean {
  try {
    return localStorage.getItem(QUEUE) !== null;
  } catch {
    return false;
  }
}

function start(): void {
  const isFrame = isEmbedded(location.search); // it keeps nothing, and shares a tab with the page around it
  const tab = isFrame ? NO_TAB : tabMemory();
  const left = tab.get(); // the live run of before a reload
  const heard: KeeperNews[] = []; // before the page is made
  let hearKeeper = (news: KeeperNews): void => void heard.push(news);
  const keeper = isFrame ? null : startKeeper((news) => hearKeeper(news));
  const adapter = adapterMemory();
  const startOnAdapter = (): Worker => startWorker(adapter.get());
  const engine = startEngine(startOnAdapter, undefined, keeper ? () => keeper.join() : undefined, isFrame);
  const engines = new Set([engine]);
  const lab = createLab(
    (command) => engine.send(command),
    location.hash,
    readInWorker,
    codec,
    { ...engine, rests: isFrame, adapter },
    {
      keeper: keeper ?? NO_KEEPER,
      tab,
      follows: left !== null && history.state === OWN_ENTRY,
      tools: {
        openBundle: openBundleInWorker,
        importRollouts: importInWorker,
        lookAtRollouts: lookInWorker,
        writeBundle: async (run) => (await import('./files/bundle.ts')).writeBundle(run),
        writeLog: codec.write,
      },
      experiments: keeper && experimentTools(engines, keeper, startOnAdapter),
    },
  );
  hearKeeper = lab.kept.hear;
  heard.forEach(lab.kept.hear);
  lab.kept.refresh().catch((error: unknown) => console.info('Runs are not kept in this browser:', error));
  const pump = createPump((events) => {
    lab.transport.receive(events);
    lab.kept.hearEngine(events);
    lab.adapters.hearEngine(events);
  });
  engine.subscribe((event) => {
    pump.add([event]);
    if (document.hidden) pump.drain(); // messages come when timers do not, so that events never pile up
  });
  giveWayToPerson(engines);
  mirrorSelection(lab.selection, isFrame ? withoutHistory(window) : window, {
    run: lab.run,
    stage: lab.stage,
  });
  lab.transport.subscribe(({ awaiting }) => {
    if (awaiting) engine.wake();
  });
  followAddress(lab.selection, window, lab.stage);
  everyFrame((nowMs) => {
    pump.tick();
    lab.player.tick(nowMs);
  });
  const goneOn = left ? lab.kept.goOn(left.id, left.plays, 'reload') : Promise.resolve(false);
  goneOn
    .then((isLive) => isLive || lab.files.openLinked(location.href))
    .then((isShown) => loadRecording(lab, !isShown))
    .catch((error: unknown) => {
      if (lab.transport.getState().source === 'recorded') lab.run.report(reportOf(error, RECORDING));
    })
    .then(() =>
      import.meta.env.PROD && !isFrame ? keepOffline(new URL('service_worker.js', document.baseURI)) : null,
    )
    .catch(console.error);
  if (!isFrame && hasQueue()) lab.experiments().catch(console.error);
  const root = document.getElementById('root');
  if (root)
    createRoot(root).render(
      <StrictMode>
        <App lab={lab} isFrame={isFrame} />
      </StrictMode>,
    );
}

/** The lecturer's second window: what it shows comes from the first. */
async function startNotes(): Promise<void> {
  const root = document.getElementById('root');
  const { NotesPage } = await import('./ui/present/NotesPage.tsx');
  if (root) createRoot(root).render(<NotesPage />);
}

if (new URLSearchParams(location.search).has('notes')) void startNotes();
else start();
