/** Files to rollouts, one after another: each file's format is recognised by its rows, and what cannot be read is told. */
import { LabError, quote, shorten, type ErrorReport } from '../../units.ts';
import { formats } from './formats/index.ts';
import type { Annotation, ByteRange, Context, Format, Item, Recognised, RowReader } from './format.ts';
import { isMessages } from './messages.ts';
import { parseDelimiters } from './text.ts';
import { ImportError, type Place, type Refusal, type Rollout } from './rollout.ts';
import { groupHash } from './tally.ts';
import { indexedTraces, readAnnotations } from './annotations.ts';
import { isTable, partsOf, type ImportFile, type Part, type Table } from './source.ts';
import { valuesOf } from './values.ts';

/** What a person may choose where the file is read otherwise. */
export interface Choices {
  readonly format?: string | undefined; // name of a format
  readonly delimiters?: string | undefined; // see parseDelimiters
  readonly reward?: string | undefined; // field of a row, a path with dots
  readonly group?: string | undefined;
}

const NOT_ROLLOUTS: readonly (readonly [RegExp, string])[] = [
  [/(?:^|\/)(?:metadata|results|config|batch_summary|summary|summaries|reductions|header|rewards)\.json$/i, 'says something of the run, no rollouts'], // prettier-ignore
  [/(?:^|\/)(?:aggregated_results|stream\.index|metrics)\.jsonl$/i, 'says something of the run, no rollouts'],
  [/(?:^|\/)_journal\//, 'notes that the log was written by'],
  [/\.(?:ya?ml|toml|md|log|csv|png|svg|html|sh|py|lock)$/i, 'no rollout file by its name'],
  [/(?:^|\/)\.(?!\.?\/)[^/]+/, 'a hidden file'],
  [/(?:^|\/)configs\/resolved\//, 'says something of the run, no rollouts'],
];

const inOrder = new Intl.Collator('en', { numeric: true });
const INDEX = /(?:^|\/)stream\.index\.jsonl$/;
const ANNOTATION = /(?:^|\/)annotations\/[^/]+\/\d+\.jsonl(?:\.zstd?)?$/;

/** Why a file of a folder is left out; null: it is read. A file that a person chose alone is always read. */
function whySkipped(path: string, paths: ReadonlySet<string>): string | null {
  if (paths.size === 1) return null;
  const whole = path.replace('/effective/', '/all/');
  if (whole !== path && paths.has(whole)) return 'its rows are in the folder all';
  return NOT_ROLLOUTS.find(([name]) => name.test(path))?.[1] ?? null;
}

const reportOf = (error: unknown, where: string): ErrorReport =>
  error instanceof LabError
    ? error.report
    : {
        what: 'The rest of the file cannot be read',
        where,
        got: shorten(error instanceof Error ? error.message : String(error)),
        wanted: 'a whole file',
        next: 'What came before was read. Copy the file again from where it was written.',
      };

const notJson = ({ path, line }: Place, got: string, text: string): Refusal => ({
  ...{ path, line },
  report: {
    what: 'A row is no JSON',
    where: `${path}, line ${line}`,
    got: `${quote(text)} (${shorten(got)})`,
    wanted: 'one JSON value a line, or a JSON document',
    next: 'The other rows were read. A line that breaks off was being written when the run ended, or the copy is not whole.',
  },
});

const missing = ({ path, line }: Place, traces: readonly string[]): Refusal => ({
  ...{ path, line },
  report: {
    what: 'A row that the index names is not in the stream',
    where: `${path}, line ${line}`,
    got: `none of the traces ${shorten(traces.join(', '))}`,
    wanted: 'all chunks of the stream beside their index',
    next: 'Copy the folder traces/stream whole. The other rows were read.',
  },
});

/** Rows of the index of which no trace was read. */
async function* missingIn(file: ImportFile, seen: ReadonlySet<string>): AsyncGenerator<Item> {
  for await (const { place, traces } of indexedTraces(file))
    if (traces.length > 0 && !traces.some((id) => seen.has(id)))
      yield { kind: 'refused', refusal: missing(place, traces) };
}

/** A file that stands beside rollouts and cannot be read leaves them as they are. */
async function* guarded({ path }: ImportFile, items: AsyncGenerator<Item>): AsyncGenerator<Item> {
  try {
    yield* items;
  } catch (error) {
    yield { kind: 'refused', refusal: { path, line: 0, report: reportOf(error, path) } };
  }
}

const nothingIn = (path: string): Refusal => ({
  ...{ path, line: 0 },
  report: {
    what: 'This file holds no rollouts that can be read',
    where: path,
    got: 'no row that tells of one',
    wanted: 'rows of rollouts, or an archive of files that hold them',
    next: 'Look whether the run wrote its rollouts to it; of an archive, unpack it and open its files.',
  },
});

const unknownFormat = ({ path, line }: Place, value: unknown): Refusal => {
  const keys =
    typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.keys(value) : null;
  const got = keys ? `the keys ${shorten(keys.join(', ') || 'of an empty object')}` : quote(value);
  const where = `${path}, row ${line}`;
  const wanted = `a row of one of ${formats.map(({ name }) => name).join(', ')}`;
  return { path, line, report: { what: 'No known format has such rows', where, got, wanted, next: 'Name the format with --format NAME, or write the rollouts as {"messages": […], "reward": …} a line.' } }; // prettier-ignore
};

/** @throws ImportError where no format has the name */
export function formatNamed(name: string): Format {
  const found = formats.find((each) => each.name === name);
  if (found) return found;
  throw new ImportError({
    what: 'There is no format of this name',
    where: 'format',
    got: quote(name),
    wanted: `one of ${formats.map((each) => each.name).join(', ')}`,
    next: 'Choose one of them, or leave it out: the format is recognised by the rows.',
  });
}

interface Row extends Place {
  readonly value: unknown;
  readonly range: ByteRange | null;
}

/** Rows of one part by the format that its first known row tells. */
class PartReader {
  readonly #context: Context;
  readonly #chosen: Format | null;
  #format: Format | null = null;
  #reader: RowReader | null = null;
  readonly #waiting = new Map<number, ByteRange>(); // by line: rows that no rollout was made of yet

  constructor(context: Context, chosen: Format | null) {
    this.#context = context;
    this.#chosen = chosen;
  }

  *add({ value, range, ...place }: Row): Generator<Item> {
    const isKnown = (): boolean =>
      (this.#chosen ? [this.#chosen] : formats).some((format) => format.recognise(value, place.path));
    if (Array.isArray(value) && !isMessages(value) && !isKnown()) {
      for (const each of value as readonly unknown[]) yield* this.#addOne(each, place, range);
      return;
    }
    yield* this.#addOne(value, place, range);
  }

  *#addOne(value: unknown, place: Place, range: ByteRange | null): Generator<Item> {
    if (!this.#reader) {
      const known = this.#recognise(value, place.path);
      if (!known) return void (yield { kind: 'refused', refusal: unknownFormat(place, value) });
      [this.#format] = known;
      this.#reader = this.#format.open(this.#context);
      yield { kind: 'recognised', path: place.path, format: known[0], recognised: known[1] };
    }
    if (range) this.#waiting.set(place.line, range);
    try {
      yield* this.#items(this.#reader.add(value, place));
    } catch (error) {
      this.#waiting.delete(place.line);
      yield {
        kind: 'refused',
        refusal: { ...place, report: reportOf(error, `${place.path}, row ${place.line}`) },
      };
    }
  }

  *end(place: Place): Generator<Item> {
    try {
      yield* this.#items(this.#reader?.end() ?? []);
    } catch (error) {
      yield { kind: 'refused', refusal: { ...place, report: reportOf(error, place.path) } };
    }
  }

  *#items(found: readonly Rollout[]): Generator<Item> {
    const linesOf = ({ lines, place }: Rollout): readonly number[] => lines ?? [place.line];
    const isFound = (range: ByteRange | undefined): range is ByteRange => range !== undefined;
    for (const rollout of found) {
      const ranges = linesOf(rollout).map((line) => this.#waiting.get(line));
      yield {
        kind: 'rollout',
        rollout,
        format: this.#format!,
        ranges: ranges.every(isFound) ? ranges : null,
      };
    }
    for (const line of found.flatMap(linesOf)) this.#waiting.delete(line);
  }

  #recognise(value: unknown, path: string): readonly [Format, Recognised] | null {
    if (this.#chosen) return [this.#chosen, { version: '', why: 'it was chosen by hand' }];
    for (const format of formats) {
      const recognised = format.recognise(value, path);
      if (recognised) return [format, recognised];
    }
    return null;
  }
}

async function* rowsOf(part: Part | Table): AsyncGenerator<Row | Item> {
  if (isTable(part)) {
    let line = 0;
    for await (const value of part.rows()) yield { path: part.path, line: (line += 1), value, range: null };
    return;
  }
  for await (const { path, line, value, fault, bytes, isBroken, range } of valuesOf(part)) {
    yield { kind: 'read', bytes };
    if (isBroken) yield { kind: 'not-utf8', place: { path, line } };
    if (fault) yield { kind: 'refused', refusal: notJson({ path, line }, fault.got, fault.text) };
    else yield { path, line, value, range };
  }
}

async function* readFile(
  file: ImportFile,
  open: (path: string, format: Format | null) => PartReader,
  paths: ReadonlySet<string>,
): AsyncGenerator<Item> {
  let place: Place = { path: file.path, line: 0 };
  try {
    for await (const part of partsOf(file)) {
      const isWithin = part.path.startsWith(`${file.path}/`);
      const why = isWithin ? whySkipped(part.path, new Set([...paths, part.path])) : null;
      if (why !== null) {
        yield { kind: 'skipped', path: part.path, why };
        continue;
      }
      const reader = open(part.path, file.only ? formatNamed(file.only.format) : null);
      try {
        for await (const row of rowsOf(part)) {
          if ('kind' in row) {
            yield row;
            continue;
          }
          place = { path: row.path, line: row.line };
          yield* reader.add(row);
        }
      } catch (error) {
        yield { kind: 'refused', refusal: { path: place.path, line: place.line + 1, report: reportOf(error, `${place.path}, after row ${place.line}`) } }; // prettier-ignore
      }
      yield* reader.end(place);
    }
  } catch (error) {
    yield { kind: 'refused', refusal: { ...place, report: reportOf(error, file.path) } };
  }
}

/**
 * All rollouts of the files, in the order of their names, numbers by size. What waits in memory is one row, or the rows of
 * one file where they belong together by an id.
 * @throws ImportError where a choice is none; the signal's reason
 */
export async function* readRollouts(
  files: readonly ImportFile[],
  choices: Choices = {},
  signal?: AbortSignal,
): AsyncGenerator<Item> {
  const chosen = choices.format === undefined ? null : formatNamed(choices.format);
  const delimiters = choices.delimiters === undefined ? null : parseDelimiters(choices.delimiters);
  const ordered = files.toSorted((one, other) => inOrder.compare(one.path, other.path));
  const paths = new Set(ordered.map(({ path }) => path));
  const annotations = new Map<string, Annotation>();
  for (const file of ordered.filter(({ path }) => paths.size > 1 && ANNOTATION.test(path))) {
    yield* guarded(file, readAnnotations(file, annotations));
    yield { kind: 'skipped', path: file.path, why: 'annotations: put beside the traces that they are of' };
  }
  const open = (path: string, known: Format | null): PartReader =>
    new PartReader({ path, delimiters, annotations, reward: choices.reward ?? null, group: choices.group ?? null }, chosen ?? known); // prettier-ignore
  const seen = new Set<string>();
  for (const file of ordered) {
    if (paths.size > 1 && ANNOTATION.test(file.path)) continue;
    const why = file.only ? null : whySkipped(file.path, paths);
    if (why !== null) {
      yield { kind: 'skipped', path: file.path, why };
      continue;
    }
    const groups = file.only && new Set(file.only.groups);
    let isSilent = true;
    for await (const item of readFile(file, open, paths)) {
      signal?.throwIfAborted();
      if (item.kind === 'rollout' && groups && !groups.has(groupHash(item.rollout))) continue; // another of the same line
      isSilent &&= item.kind === 'read' || item.kind === 'recognised' || item.kind === 'not-utf8';
      if (item.kind === 'rollout' && item.format.hasOwnIds && item.rollout.id !== '') {
        if (seen.has(item.rollout.id)) {
          yield { kind: 'repeated', place: item.rollout.place };
          continue;
        }
        seen.add(item.rollout.id);
      }
      const isAlone = item.kind !== 'rollout' || annotations.size === 0; // read again without its annotations it would say less
      yield isAlone ? item : { ...item, ranges: null };
    }
    if (isSilent) yield { kind: 'refused', refusal: nothingIn(file.path) };
  }
  for (const file of ordered.filter(({ path }) => paths.size > 1 && INDEX.test(path)))
    yield* guarded(file, missingIn(file, seen));
}
