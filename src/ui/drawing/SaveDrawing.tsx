/** The menu of a drawing: saves it as SVG or PNG, with the run that it is of written below. */
import { useState, type RefObject } from 'react';
import { useStore } from 'zustand';
import { methodTitle } from '../../store/lab/knobs.ts';
import type { RunHeader } from '../../store/record/run_state.ts';
import { editSuffix } from '../../units.ts';
import { useLab, useRun } from '../parts/binding.ts';
import type { Sheet } from './drawing_file.ts';
import { useColours, type ResolveColour } from './encodings.ts';
import { fileName, saveFile } from './save_file.ts';

/** The recipe in a line, or the file that a record without one was read from. */
function sourceOf({ config, origin }: RunHeader): string {
  if (origin.kind === 'example') return 'an example';
  if (!config) return origin.kind === 'imported' ? `${origin.file}, read as ${origin.format}` : 'a run';
  const { algorithm, preset, seed, environment } = config;
  return `${methodTitle(algorithm.name)}${editSuffix(config)}, preset ${preset}, ${environment}, seed ${seed}`;
}

interface SaveDrawingProps {
  readonly name: string; // of the file
  readonly about: readonly string[]; // lines of the stamp: which update, which question
  readonly of?: RunHeader | null; // the run; absent: the one on screen, null: several, which `about` names
  readonly sheet: (colour: ResolveColour) => Sheet | null | Promise<Sheet | null>;
}

/** What is saved is what is on screen when a button is pressed. */
export function SaveDrawing({ name, about, of, sheet }: SaveDrawingProps) {
  const { shelf } = useLab();
  const onScreen = useRun((run) => run.header);
  const header = of === undefined ? onScreen : of;
  const file = useStore(
    shelf,
    ({ runs }) => header && runs.find(({ run }) => run.header?.date === header.date)?.file,
  );
  const colour = useColours();
  const [failure, setFailure] = useState<string | null>(null);
  const own =
    header && [header.date && `run of ${header.date}`, file && `from ${file}`].filter((part) => part);
  const stamp = [...(header ? [sourceOf(header)] : []), ...about, ['Turnwise', ...(own ?? [])].join(', ')];
  const save = async (ending: 'svg' | 'png'): Promise<void> => {
    setFailure(null);
    const drawing = await sheet(colour);
    if (!drawing) return;
    const { svgFile, pngOf } = await import('./drawing_file.ts');
    const svg = svgFile(drawing, stamp, colour);
    const { algorithm, seed } = header?.config ?? {};
    const run = algorithm ? ` ${algorithm.name} seed${seed}` : '';
    if (ending === 'svg') saveFile(fileName(name + run, 'svg'), svg, 'image/svg+xml');
    else saveFile(fileName(name + run, 'png'), await pngOf(svg), 'image/png');
  };
  const choose = (ending: 'svg' | 'png'): void =>
    void save(ending).catch((error: unknown) => setFailure(`It could not be saved: ${String(error)}.`));
  return (
    <details className="save-drawing small" data-not-drawn onKeyDown={(event) => event.stopPropagation()}>
      <summary title="This drawing as a file, with the run that it is of written below it">Save as</summary>
      <button type="button" className="small" onClick={() => choose('svg')}>
        SVG
      </button>
      <button type="button" className="small" onClick={() => choose('png')}>
        PNG
      </button>
      {failure && <span role="alert">{failure}</span>}
    </details>
  );
}

interface SavePageProps extends Pick<SaveDrawingProps, 'name' | 'about'> {
  readonly box: RefObject<HTMLElement | null>; // all that is drawn in it
}

/** Of what is drawn on the page itself. */
export function SavePage({ name, about, box }: SavePageProps) {
  return (
    <SaveDrawing
      name={name}
      about={about}
      sheet={async (colour) => {
        const { pageSheet } = await import('./page_sheet.ts');
        return box.current && pageSheet(name, box.current, colour);
      }}
    />
  );
}
