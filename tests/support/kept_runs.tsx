/** The Runs view over a keeper that holds what a test says. */
import { expect, vi } from 'vitest';
import { render } from 'vitest-browser-react';
import { writeBundle } from '../../src/files/bundle.ts';
import { importInWorker, lookInWorker, openBundleInWorker } from '../../src/files/file_reader.ts';
import { readLogPart, readRecording, writeRecording } from '../../src/files/recording.ts';
import type { EngineEvent, RunCommand } from '../../src/protocol/protocol.ts';
import { NO_KEEPER, NO_TAB, type KeptEntry, type KeeperEnd } from '../../src/store/lab/kept.ts';
import type { ImportTools } from '../../src/store/lab/imports.ts';
import { createLab, type Lab } from '../../src/store/lab/lab.ts';
import { App } from '../../src/ui/shell/App.tsx';
import type { RunConfig } from '../../src/units.ts';
import { scriptedLog } from '../support/scripted_lab.ts';

export const configOf = (log: readonly EngineEvent[]): RunConfig =>
  log.find((event) => event.kind === 'run-started')!.config!;

export function entryOf(config: RunConfig, id: string, own: Partial<KeptEntry> = {}): KeptEntry {
  return {
    ...{ id, config, created: '2026-11-20T10:00:00Z', changed: '2026-11-20T11:00:00Z', update: 3 },
    ...{ adapter: { vendor: 'acme', architecture: 'one', description: '' } as KeptEntry['adapter'] },
    ...{ finished: false, curve: [0.1, 0.3, 0.2], score: 0.42, bytes: 2_340_000, name: null, note: '' },
    ...{ pinned: false, removed: null },
    ...own,
  };
}

interface Stored {
  readonly entries?: (config: RunConfig) => readonly KeptEntry[];
  readonly usage?: number;
  readonly browser?: KeeperEnd; // a real one, in place of the entries
  readonly importRollouts?: ImportTools['importRollouts']; // absent: the worker's
  readonly hash?: string; // the address that the page is opened with; absent: the Runs view
}

/** The page over a keeper that holds these entries; `calls` grows with what is asked of it. */
export async function open({
  entries = () => [],
  usage = 12e6,
  browser,
  hash,
  importRollouts = importInWorker,
}: Stored) {
  const log = await scriptedLog();
  const bytes = await writeRecording(log);
  const table = new Map(entries({ ...configOf(log), updates: 40 }).map((entry) => [entry.id, entry]));
  const calls: string[] = [];
  let persisted = false;
  const keeper: KeeperEnd = {
    ...NO_KEEPER,
    list: () => Promise.resolve([...table.values()]),
    open: (id) => Promise.resolve((calls.push(`open ${id}`), new Blob([bytes]))),
    goOn: (id) => Promise.resolve((calls.push(`go on ${id}`), { update: 1, bytes: new Uint8Array(8) })),
    change(id, change) {
      calls.push(`change ${id} ${Object.keys(change).join()}`);
      table.set(id, { ...table.get(id)!, ...change });
      return Promise.resolve(table.get(id)!);
    },
    bundle: (id, choice) => Promise.resolve((calls.push(`bundle ${id} ${choice}`), new Blob([bytes]))),
    take: () => Promise.resolve([...table.values()][0]),
    storage: () => Promise.resolve({ usage, quota: 3.2e9, persisted }),
    persist: () => Promise.resolve((persisted = true)),
  };
  const sent: RunCommand[] = [];
  const codec = { write: writeRecording, read: readLogPart };
  const lab: Lab = createLab(
    (command) => void sent.push(command),
    hash,
    (file) => readRecording(file),
    codec,
    { ask: () => Promise.reject(new Error('no engine')) },
    {
      ...{ keeper: browser ?? keeper, tab: NO_TAB },
      tools: {
        openBundle: openBundleInWorker,
        writeBundle: (run) => writeBundle(run),
        writeLog: writeRecording,
        importRollouts,
        lookAtRollouts: lookInWorker,
      },
    },
  );
  lab.transport.receive(log.filter(({ kind }) => kind === 'ready'));
  if (hash === undefined) lab.selection.select({ view: 'runs' });
  const screen = await render(<App lab={lab} />);
  if (!browser) await expect.poll(() => lab.kept.getState().entries.length).toBe(table.size);
  return { lab, screen, calls, sent, log };
}

export const three = (config: RunConfig): readonly KeptEntry[] => [
  entryOf(config, 'a', { changed: '2026-11-21T11:00:00Z', name: 'Beta', score: null }),
  entryOf({ ...config, seed: 4 }, 'b', { update: 40, finished: true, score: 0.9, bytes: 510 }),
  entryOf(config, 'c', { changed: '2026-11-19T11:00:00Z', name: 'alpha', update: 23, pinned: true }),
];

export const rows = (): string[][] =>
  [...document.querySelectorAll('.runs-view tbody tr')].map((row) => [
    row.querySelector('.runs-title')!.textContent,
    ...[...row.querySelectorAll('td')].map((cell) => cell.textContent),
  ]);
export const titles = (): string[] => rows().map(([title]) => title);

/** What the page offers to the person as files, from now on. */
export function savedFiles(): readonly { readonly name: string; readonly blob: Blob }[] {
  const saved: { name: string; blob: Blob }[] = [];
  const blobs = new Map<string, Blob>();
  const make = URL.createObjectURL.bind(URL);
  vi.spyOn(URL, 'createObjectURL').mockImplementation((blob) => {
    const url = make(blob);
    blobs.set(url, blob as Blob);
    return url;
  });
  vi.spyOn(HTMLAnchorElement.prototype, 'click').mockImplementation(function (this: HTMLAnchorElement) {
    saved.push({ name: this.download, blob: blobs.get(this.href)! });
  });
  return saved;
}
