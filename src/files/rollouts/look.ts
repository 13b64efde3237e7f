/** Files of rollouts as the page asks for them: as a recording, its first part ahead; or a look at the first rows. Runs in a worker. */
import type {
  ChosenFile,
  EventOf,
  ImportChoices,
  ImportedRecord,
  ImportHooks,
  ImportLook,
  ImportSummary,
  RunEvent,
} from '../../protocol/protocol.ts';
import { filesTitle, shorten } from '../../units.ts';
import { writeRecording } from '../recording.ts';
import { formats } from './formats/index.ts';
import { importFiles, type Import } from './import.ts';
import type { Choices } from './read.ts';
import { importSummary, toRecord } from './record.ts';
import { isTable, partsOf } from './source.ts';
import { valuesOf } from './values.ts';

const FIRST_BYTES = 2 ** 19; // of text, after which the first trees are shown
const HELD_BYTES = 24 * 2 ** 20; // of text that a record on the page holds
const LOOK_BYTES = 8 * 2 ** 20; // of text that a change of choices is tried on
const LOOK_ROWS = 20; // whose fields are listed
const MOST_FIELDS = 200;

const given = (choices: ImportChoices): Choices =>
  Object.fromEntries(Object.entries(choices).filter(([, value]) => value !== null));

/** Of what is not kept: whether it can be read back, and why not. */
function restOf({ isWhole, updates, without }: Import): ImportSummary['rest'] {
  if (isWhole) return undefined;
  if (updates) return { inFile: true, why: '' };
  const why = without === null ? 'the files are still being read' : `${without} cannot be read back in parts: it is packed (gzip, zstd, zip, Parquet), one document of more than 64 MB, UTF-16, or has its log-probabilities in other files`; // prettier-ignore
  return { inFile: false, why };
}

async function recorded(read: Import, choices: ImportChoices, file: string): Promise<ImportedRecord> {
  const { summary, rollouts, updates } = read;
  const counted = { summary, choices, rest: restOf(read) };
  if (summary.turns === 0 || rollouts.length === 0) return { log: null, summary: importSummary(counted, rollouts), index: null }; // prettier-ignore
  const events = toRecord(rollouts, { file, format: summary.title, counted, updates });
  const { value: first } = events.next() as { readonly value: EventOf<'run-started'> };
  const own = first.origin.kind === 'imported' ? first.origin.summary : undefined;
  const all = function* (): Generator<RunEvent> {
    yield first;
    yield* events;
  };
  return {
    log: new Blob([await writeRecording(all())]),
    summary: own ?? importSummary(counted, rollouts),
    index: updates?.map(({ lines }) => lines) ?? null,
  };
}

/** @param heldBytes of text that the record holds, about @throws ImportError where a choice is none, or a record would be too large */
export async function importAsRecord(
  files: readonly ChosenFile[],
  choices: ImportChoices,
  { onProgress, onFirst }: Pick<ImportHooks, 'onProgress' | 'onFirst'>,
  heldBytes = HELD_BYTES,
): Promise<ImportedRecord> {
  const file = filesTitle(files);
  const hear = async (first: Import): Promise<void> => onFirst(await recorded(first, choices, file));
  const early = { bytes: FIRST_BYTES, hear };
  const isPart = files.some(({ only }) => only); // lines that are read back: all of them are wanted
  const wanted = isPart ? { keepBytes: Infinity } : { keepBytes: heldBytes, withIndex: true, early };
  const read = await importFiles(files, { ...given(choices), ...wanted, onProgress });
  return recorded(read, choices, file);
}

/** Scalars of a row by their path with dots. */
function* fieldsOf(value: unknown, path = ''): Generator<readonly [string, string]> {
  if (Array.isArray(value) || value === null || value === undefined) return;
  if (typeof value !== 'object') {
    if (path !== '') yield [path, shorten(typeof value === 'string' ? value : JSON.stringify(value), 40)];
    return;
  }
  for (const [key, each] of Object.entries(value))
    yield* fieldsOf(each, path === '' ? key : `${path}.${key}`);
}

async function firstFields(file: ChosenFile | undefined): Promise<ReadonlyMap<string, string>> {
  const fields = new Map<string, string>();
  let rows = 0;
  const add = (value: unknown): boolean => {
    for (const each of Array.isArray(value) ? (value.slice(0, LOOK_ROWS) as unknown[]) : [value])
      for (const [path, example] of fieldsOf(each))
        if (fields.size < MOST_FIELDS && !fields.has(path)) fields.set(path, example);
    return (rows += 1) >= LOOK_ROWS;
  };
  if (!file) return fields;
  for await (const part of partsOf(file)) {
    if (isTable(part)) {
      for await (const value of part.rows()) if (add(value)) return fields;
    } else for await (const { value } of valuesOf(part)) if (add(value)) return fields;
  }
  return fields;
}

/** Reads the first part of the files under these choices: what would change, before it is applied. @throws ImportError */
export async function lookAt(files: readonly ChosenFile[], choices: ImportChoices): Promise<ImportLook> {
  const bytes = files.reduce((sum, { blob }) => sum + blob.size, 0);
  const { summary, rollouts } = await importFiles(files, { ...given(choices), keepBytes: 0, mostBytes: LOOK_BYTES }); // prettier-ignore
  const skipped = new Set(summary.skipped.map(({ path }) => path));
  const fields = await firstFields(files.find(({ path }) => !skipped.has(path))).catch(() => new Map<string, string>()); // prettier-ignore
  return {
    summary: importSummary({ summary, choices }, rollouts),
    isWhole: bytes < LOOK_BYTES,
    formats: formats.map(({ name, title }) => ({ name, title })),
    fields: [...fields].map(([path, example]) => ({ path, example })),
  };
}
