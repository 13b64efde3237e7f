/** Files: the buttons that open and save them, a drop anywhere on the page, and what became of one. */
import { useEffect, useRef, useState } from 'react';
import { useStore } from 'zustand';
import type { ChosenFile, FilesState, NamedFile, SavedRun } from '../../store/lab/files.ts';
import { configWords } from '../../store/record/run_difference.ts';
import { ImportNotice } from '../imported/ImportNotice.tsx';
import { useLab, useRun, useSelection } from '../parts/binding.ts';
import { Reports } from '../parts/parts.tsx';
import { fileName, saveFile } from '../drawing/save_file.ts';

export const useFiles = <T,>(selector: (files: FilesState) => T): T => useStore(useLab().files, selector);

const ZIP = 'application/zip';

/** Saves a run as one file. @returns a function of the run and of the words that the file is named with */
export function useSaveRun(): (run: SavedRun, title: string) => Promise<void> {
  const { files } = useLab();
  return async (run, title) => {
    const file = await files.save(run);
    if (file) saveFile(fileName(title, 'turnwise'), file, ZIP);
  };
}

interface OpenProps {
  readonly children?: string;
  readonly accept?: string; // absent: any file
  readonly folder?: boolean; // asks for a folder
  readonly onFile?: (file: NamedFile) => void; // absent: all that is chosen is opened
}

const chosen = (list: FileList | null): readonly ChosenFile[] =>
  [...(list ?? [])].map((file) => ({ path: file.webkitRelativePath || file.name, blob: file }));

/** A button that asks for a file, files or a folder. */
export function OpenButton({ children = 'Open', accept, folder = false, onFile }: OpenProps) {
  const { files } = useLab();
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <button type="button" onClick={() => input.current?.click()}>
        {children}
      </button>
      <input
        ref={input}
        type="file"
        hidden
        aria-label={children}
        accept={accept}
        multiple={!onFile}
        webkitdirectory={folder ? '' : undefined}
        onChange={({ target }) => {
          const [file] = target.files ?? [];
          if (file && onFile) onFile(file);
          else void files.openAll(chosen(target.files));
          target.value = '';
        }}
      />
    </>
  );
}

declare module 'react' {
  interface InputHTMLAttributes<T> {
    webkitdirectory?: T extends HTMLInputElement ? string | undefined : never; // a folder with all that is in it
  }
}

/** Of the run on screen, whichever it is. */
export function SaveAndOpen() {
  const busy = useFiles((files) => files.busy);
  const config = useRun((run) => run.header?.config ?? null);
  const ready = useRun((run) => run.ready);
  const hasRun = useRun((run) => run.header !== null);
  const save = useSaveRun();
  const title = config ? configWords(config, ready) : 'run';
  return (
    <div className="bar">
      <button
        type="button"
        disabled={!hasRun || busy !== null}
        onClick={() => void save('screen', title)}
        title="The run on screen as one file: recipe, log and newest checkpoint"
      >
        Save
      </button>
      <OpenButton />
      <OpenButton folder>Open a folder</OpenButton>
    </div>
  );
}

function Dismiss() {
  const { files, shelf } = useLab();
  const away = (): void => {
    files.dismiss();
    shelf.dismiss();
  };
  return (
    <button type="button" className="small" onClick={away}>
      Dismiss
    </button>
  );
}

/** What a run file holds, what of it is damaged, and the way to go on with it. */
function Opened() {
  const { files, kept, selection } = useLab();
  const opened = useFiles((state) => state.opened);
  const busy = useFiles((state) => state.busy);
  if (!opened || busy !== null) return null;
  const { name, bundle, kept: id } = opened;
  const newest = bundle.checkpoints.at(-1)?.update ?? null;
  const resume = (): void => {
    if (id !== null) void kept.goOn(id, true).then(() => selection.select({ view: 'train' }));
    files.dismiss();
  };
  const holds =
    newest === null
      ? 'It holds no checkpoint: it can be looked at and trained again.'
      : `It holds a checkpoint after update ${newest}.`;
  return (
    <div className="notice" role="status">
      <div>
        <p>
          <strong>{bundle.name ?? name} is open.</strong>{' '}
          {id === null ? holds : 'It is kept in this browser, under Runs.'}
          {bundle.note !== '' && ` Note: ${bundle.note}`}
        </p>
        <Reports reports={bundle.damaged} />
      </div>
      {id === null ? (
        <button type="button" className="small" onClick={() => void files.keep()}>
          Keep it in this browser
        </button>
      ) : (
        newest !== null && (
          <button type="button" className="small" onClick={resume}>
            Resume it
          </button>
        )
      )}
      <Dismiss />
    </div>
  );
}

/** Compare says of its own files what is wrong with them. */
function Failed() {
  const view = useSelection((selection) => selection.view);
  const failure = useFiles((files) => files.failure);
  const unread = useStore(useLab().shelf, (shelf) => shelf.failure);
  const reports = [failure, view === 'compare' ? null : unread].filter((report) => report !== null);
  if (reports.length === 0) return null;
  return (
    <div className="notice" role="alert">
      <div>
        <Reports reports={reports} />
      </div>
      <Dismiss />
    </div>
  );
}

export function FileNotice() {
  const busy = useFiles((files) => files.busy);
  return (
    <>
      {busy !== null && (
        <p className="notice" role="status">
          Working on {busy} …
        </p>
      )}
      <Opened />
      <ImportNotice />
      <Failed />
    </>
  );
}

/** Files below a folder that was dropped. */
async function filesBelow(entry: FileSystemEntry): Promise<readonly ChosenFile[]> {
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject)); // prettier-ignore
    return [{ path: entry.fullPath.slice(1), blob: file }];
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const found: ChosenFile[] = [];
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject),
    ); // a hundred at a time
    if (some.length === 0) return found;
    for (const each of some) found.push(...(await filesBelow(each)));
  }
}

/** The entries are asked for at once: after the event they are gone. */
async function dropped({ items, files }: DataTransfer): Promise<readonly ChosenFile[]> {
  const entries = [...items].map((item) => item.webkitGetAsEntry());
  if (!entries.some((entry) => entry?.isDirectory)) return chosen(files);
  return (await Promise.all(entries.map(async (entry) => (entry ? filesBelow(entry) : [])))).flat();
}

/** Files dropped anywhere are opened; in Compare, beside the run on screen. */
export function DropZone() {
  const { files, selection } = useLab();
  const [over, setOver] = useState(false);
  useEffect(() => {
    const holdsFile = ({ dataTransfer }: DragEvent): boolean =>
      dataTransfer?.types.includes('Files') ?? false;
    const drag = (event: DragEvent): void => {
      if (!holdsFile(event)) return;
      event.preventDefault(); // else the browser leaves the page for the file
      setOver(true);
    };
    const leave = (event: DragEvent): void => {
      if (event.relatedTarget === null) setOver(false); // out of the window
    };
    const drop = (event: DragEvent): void => {
      setOver(false);
      if (!event.dataTransfer || !holdsFile(event)) return;
      event.preventDefault();
      const place = selection.getState().view === 'compare' ? 'beside' : 'screen';
      void dropped(event.dataTransfer).then((all) => files.openAll(all, place));
    };
    window.addEventListener('dragover', drag);
    window.addEventListener('dragleave', leave);
    window.addEventListener('drop', drop);
    return () => {
      window.removeEventListener('dragover', drag);
      window.removeEventListener('dragleave', leave);
      window.removeEventListener('drop', drop);
    };
  }, [files, selection]);
  return (
    over && (
      <div className="drop-zone" role="status">
        Drop files or a folder to open them
      </div>
    )
  );
}
