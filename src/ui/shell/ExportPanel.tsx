/** Files of the run on screen: metrics, nodes, tokens. Fetched when the Export menu is opened. */
import { useEffect, useRef, useState } from 'react';
import { bibtex } from '../../store/export/citation.ts';
import { linkNow } from '../../store/export/link.ts';
import { fileStem, jsonLines, metricsCsv, type LineKind } from '../../store/export/run_export.ts';
import { recipeOf } from '../../store/record/reading.ts';
import { frameLine } from '../../store/place/address.ts';
import { useLab, useRun, useSelection, useUpdateNumber } from '../parts/binding.ts';
import { countWords } from '../parts/format.ts';
import { copyText, saveFile } from '../drawing/save_file.ts';
import type { RunConfig } from '../../units.ts';
import { VIEW_PANELS } from './views.tsx';

/** Which updates a file of nodes or tokens is about. */
function useScope() {
  const shown = useUpdateNumber();
  const count = useRun((run) => run.updates.length);
  const [isAll, setAll] = useState(false);
  return { scope: isAll ? ('all' as const) : shown, shown, count, isAll, setAll };
}

function DataFiles() {
  const { run } = useLab();
  const { scope, shown, count, isAll, setAll } = useScope();
  const [said, setSaid] = useState('');
  const closed = useRef(new AbortController());
  useEffect(() => {
    const here = (closed.current = new AbortController());
    return () => here.abort();
  }, []);
  const saveCsv = (): void => {
    const name = `${fileStem(run.getState())}-metrics.csv`;
    saveFile(name, metricsCsv(run.getState()), 'text/csv');
    setSaid(`Saved ${name}.`);
  };
  const saveLines = async (kind: LineKind | 'traces'): Promise<void> => {
    const record = run.shown();
    const { signal } = closed.current;
    const name = `${fileStem(record.getState())}-${isAll ? 'all' : `update${shown}`}-${kind}.jsonl`;
    const parts: Blob[] = [];
    try {
      for await (const part of jsonLines(record, kind, scope)) {
        if (signal.aborted) return;
        parts.push(new Blob([part])); // outside of the page's heap
        setSaid(`Writing ${name}: ${countWords(parts.length - 1, 'update')} …`);
        await new Promise((resolve) => setTimeout(resolve, 0)); // the page is drawn in between
      }
      saveFile(name, new Blob(parts), 'application/jsonl');
      setSaid(`Saved ${name}.`);
    } catch (error) {
      setSaid(
        `${name} was not written: ${error instanceof Error ? error.message : String(error)}. Try one update, or save the run in Runs.`,
      );
    }
  };
  return (
    <>
      <p className="heading">Data of the run on screen</p>
      <div className="bar">
        <button type="button" onClick={saveCsv} title="One row an update, one column a measured quantity">
          Metrics (CSV)
        </button>
      </div>
      <div className="bar" role="group" aria-label="Updates in the file">
        <button type="button" aria-pressed={!isAll} onClick={() => setAll(false)}>
          update {shown}
        </button>
        <button type="button" aria-pressed={isAll} onClick={() => setAll(true)}>
          all {countWords(count, 'update')}
        </button>
      </div>
      <div className="bar">
        <button type="button" disabled={shown === 0} onClick={() => void saveLines('nodes')}>
          Nodes (JSONL)
        </button>
        <button type="button" disabled={shown === 0} onClick={() => void saveLines('tokens')}>
          Tokens (JSONL)
        </button>
        <button
          type="button"
          disabled={shown === 0}
          title="Rows as verifiers v1 episodes: open again here, and in what reads verifiers or prime-rl"
          onClick={() => void saveLines('traces')}
        >
          Traces (JSONL)
        </button>
      </div>
      <p className="small soft" role="status">
        {said || 'The first lines of each file say which run, settings and adapter it is from.'}
      </p>
    </>
  );
}

/** The method as a folder for verl: the run's own settings, or another method's as its paper has them. */
function Outgrow() {
  const recipe = useRun(recipeOf);
  const ready = useRun((run) => run.ready);
  const [chosen, setChosen] = useState('');
  const [said, setSaid] = useState('');
  const other = ready?.algorithms.find(({ name }) => name === chosen);
  const base = recipe ?? ready?.presets.find(({ name }) => name === 'research')?.config ?? null;
  const config = other && base ? { ...base, algorithm: other.config } : recipe;
  const save = async (of: RunConfig): Promise<void> => {
    try {
      const { verlZip } = await import('../../outgrow/zip.ts');
      const { zip, left } = verlZip(of);
      const name = `${of.algorithm.name}-verl.zip`;
      saveFile(name, zip, 'application/zip');
      const words = left.length === 0 ? 'It says all of the method.' : `${countWords(left.length, 'setting')} not expressed: ${left.join(', ')}.`; // prettier-ignore
      setSaid(`Saved ${name}. ${words}`);
    } catch (error) {
      setSaid(`The folder was not written: ${error instanceof Error ? error.message : String(error)}. Reload the page and try again.`); // prettier-ignore
    }
  };
  if (!ready) return null;
  return (
    <>
      <p className="heading">Train it elsewhere</p>
      <div className="bar">
        <select
          aria-label="Method of the folder"
          value={chosen}
          onChange={({ target }) => setChosen(target.value)}
        >
          <option value="">{recipe ? 'this run’s method' : 'choose a method'}</option>
          {ready.algorithms.map(({ name, title }) => (
            <option key={name} value={name}>
              {title}
            </option>
          ))}
        </select>
        <button
          type="button"
          disabled={!config}
          title="Launch script, loss, credit, trainer and tools for verl; its README has every setting"
          onClick={() => config && void save(config)}
        >
          verl folder (zip)
        </button>
      </div>
      <p className="small soft" role="status">
        {said}
      </p>
    </>
  );
}

/** How to cite the lab as it is on screen, and the paper. */
function Cite() {
  const lab = useLab();
  const [text, setText] = useState('');
  const show = (): void =>
    setText(text === '' ? bibtex(linkNow(lab, location).href, new Date().toISOString()) : '');
  return (
    <>
      <div className="bar">
        <button type="button" aria-expanded={text !== ''} onClick={show}>
          Cite
        </button>
        {text !== '' && (
          <button type="button" onClick={() => saveFile('turnwise.bib', text, 'application/x-bibtex')}>
            Save .bib
          </button>
        )}
      </div>
      {text !== '' && <textarea readOnly rows={8} value={text} aria-label="BibTeX" />}
    </>
  );
}

/** The line that shows this place in a course page or a slide. */
function Embed() {
  const lab = useLab();
  const view = useSelection((selection) => selection.view);
  const update = useUpdateNumber();
  const [line, setLine] = useState('');
  const [said, setSaid] = useState('');
  const show = (): void => {
    setSaid('');
    const title = `Turnwise, ${VIEW_PANELS[view].title}${update > 0 ? `, update ${update}` : ''}`;
    setLine(line === '' ? frameLine(linkNow(lab, location).href, title) : '');
  };
  const copy = (): void =>
    void copyText(line).then((isCopied) =>
      setSaid(isCopied ? 'Copied.' : 'The browser refused to copy; copy it from the field.'),
    );
  const { limits } = line === '' ? { limits: [] } : linkNow(lab, location);
  return (
    <>
      <div className="bar">
        <button type="button" aria-expanded={line !== ''} onClick={show}>
          Embed …
        </button>
        {line !== '' && (
          <button type="button" onClick={copy}>
            Copy the line
          </button>
        )}
      </div>
      {line !== '' && (
        <>
          <textarea readOnly rows={4} value={line} aria-label="HTML of the frame" />
          <p className="small soft" role="status">
            {said ||
              'Shows this place in another page; height and width are its own. Its engine rests until somebody starts it.'}
            {limits.length > 0 && ` It does not carry: ${limits.join(' ')}`}
          </p>
        </>
      )}
    </>
  );
}

export type TeachDialog = 'link' | 'worksheet';

/** For a class: on the projector, as a link, on paper. */
function Teach({ onTeach }: ExportPanelProps) {
  const { stage } = useLab();
  return (
    <>
      <p className="heading">For a class</p>
      <div className="bar">
        <button type="button" aria-keyshortcuts="Shift+P" onClick={() => stage.present(true)}>
          Present
        </button>
        <button type="button" onClick={() => onTeach('link')}>
          Teacher’s link
        </button>
        <button type="button" onClick={() => onTeach('worksheet')}>
          Worksheet
        </button>
      </div>
    </>
  );
}

interface ExportPanelProps {
  readonly onTeach: (dialog: TeachDialog) => void;
}

export default function ExportPanel({ onTeach }: ExportPanelProps) {
  return (
    <div className="export-panel">
      <DataFiles />
      <Outgrow />
      <Embed />
      <Cite />
      <Teach onTeach={onTeach} />
    </div>
  );
}
