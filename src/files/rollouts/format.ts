/** What a format is: a sign to know it by, and a reader of its rows. */
import * as v from 'valibot';
import { issueReport } from '../../protocol/schema.ts';
import type { Delimiters } from './text.ts';
import {
  ImportError,
  rewardOf,
  type MaybeNumbers,
  type Place,
  type Refusal,
  type Rollout,
} from './rollout.ts';

export interface Recognised {
  readonly version: string; // of the writer, as near as the file tells; '' where it does not
  readonly why: string; // what was recognised
}

/** What another file of the folder says of a trace: prime-rl's annotations. */
export interface Annotation {
  readonly advantage: number | null;
  readonly branches: ReadonlyMap<number, Readonly<Record<string, MaybeNumbers>>>; // by branch, by field
}

/** What a reader may ask for beside its rows. */
export interface Context {
  readonly path: string;
  readonly delimiters: Delimiters | null; // chosen by the person
  readonly reward: string | null; // field that holds the reward, a path with dots
  readonly group: string | null; // field that holds the group
  readonly annotations: ReadonlyMap<string, Annotation>; // by trace id
}

/** Reads the rows of one file in order. */
export interface RowReader {
  /** @throws ImportError where the row is not as the format has it; the next row is read all the same */
  readonly add: (value: unknown, place: Place) => readonly Rollout[];
  /** Rollouts that waited for their last row. */
  readonly end: () => readonly Rollout[];
}

export interface Format {
  readonly name: string;
  readonly title: string;
  readonly recognise: (value: unknown, path: string) => Recognised | null;
  readonly hasOwnIds?: true; // one id, one rollout: what comes a second time is the same
  readonly open: (context: Context) => RowReader;
}

/** Where a line stands in its file, or all of a document of many lines. */
export interface ByteRange {
  readonly start: number;
  readonly end: number; // the byte after its last, line feed left out
  readonly line: number; // from 1
}

/** What reading files yields. */
export type Item =
  | {
      readonly kind: 'rollout';
      readonly rollout: Rollout;
      readonly format: Format;
      readonly ranges: readonly ByteRange[] | null; // its lines; null: the file has none that can be read again alone
    }
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  | {
      readonly kind: 'recognised';
      readonly path: string;
      readonly format: Format;
      readonly recognised: Recognised;
    }
  | { readonly kind: 'skipped'; readonly path: string; readonly why: string }
  | { readonly kind: 'repeated'; readonly place: Place } // a rollout whose id was read before: not counted twice
  | { readonly kind: 'not-utf8'; readonly place: Place }
  | { readonly kind: 'read'; readonly bytes: number }; // bytes of text, since the last

/** @throws ImportError naming the first field that is not as the format has it */
export function check<Schema extends v.GenericSchema>(
  schema: Schema,
  value: unknown,
  place: Place,
): v.InferOutput<Schema> {
  const read = v.safeParse(schema, value);
  if (read.success) return read.output;
  throw new ImportError(
    issueReport(read.issues, value, {
      what: 'A row is not as its format has it',
      root: `${place.path}, row ${place.line}`,
      next: 'The other rows were read. If the whole file is refused, name its format: --format NAME.',
    }),
  );
}

/** The value at a path with dots, e.g. metadata.reward. */
export const valueAt = (value: unknown, path: string): unknown =>
  path
    .split('.')
    .reduce<unknown>((at, key) => (at as Record<string, unknown> | null | undefined)?.[key], value);

/** A rollout with the reward and the group that a person named the fields of. */
function chosenBy({ reward, group }: Context, row: unknown, found: Rollout): Rollout {
  const read = reward === null ? null : rewardOf(valueAt(row, reward));
  const key = group === null ? undefined : valueAt(row, group);
  return {
    ...found,
    ...(read && { reward: read.reward, notes: [...found.notes, ...read.notes] }),
    ...(key !== undefined && key !== null && { group: { key: JSON.stringify(key), by: group } }),
  };
}

/** A reader of a format whose every row says all of its rollouts. */
export const perRow =
  <Schema extends v.GenericSchema>(
    schema: Schema,
    read: (row: v.InferOutput<Schema>, place: Place, context: Context) => readonly Rollout[],
  ) =>
  (context: Context): RowReader => ({
    add: (value, place) =>
      read(check(schema, value, place), place, context).map((found) => chosenBy(context, value, found)),
    end: () => [],
  });

const MOST_HELD = 200_000; // rows that wait for the end of their file

const tooMany = ({ path, line }: Place): ImportError =>
  new ImportError({
    what: 'The file has too many rows to be put together',
    where: `${path}, row ${line}`,
    got: 'one more row',
    wanted: `at most ${MOST_HELD} rows whose rollouts are told apart by an id`,
    next: 'Split the file by rollout id.',
  });

/** A reader of a format whose rows belong together by a key: they are held until the file ends. */
export const perKey =
  <Schema extends v.GenericSchema>(
    schema: Schema,
    keyOf: (row: v.InferOutput<Schema>) => string,
    read: (rows: readonly v.InferOutput<Schema>[], place: Place, context: Context) => readonly Rollout[],
  ) =>
  (context: Context): RowReader => {
    let count = 0;
    const held = new Map<string, { readonly place: Place; readonly lines: number[]; readonly rows: v.InferOutput<Schema>[] }>(); // prettier-ignore
    return {
      add(value, place) {
        const row = check(schema, value, place);
        const key = keyOf(row);
        if (count >= MOST_HELD) throw tooMany(place);
        count += 1;
        const entry = held.get(key) ?? { place, lines: [], rows: [] };
        held.set(key, entry);
        entry.rows.push(row);
        entry.lines.push(place.line);
        return [];
      },
      end: () => [...held.values()].flatMap(({ place, lines, rows }) => read(rows, place, context).map((found) => ({ ...chosenBy(context, rows[0], found), lines }))), // prettier-ignore
    };
  };

const STEP = /(?:^|[/_.-])(?:global_)?step[_=-]?0*(\d+)|completions_0*(\d+)\.|(?:^|\/)0*(\d+)\.jsonl/;

/** The training step that a path names, as trainers name their files. Chunks of a stream are numbered too: they are no steps. */
export function stepOfPath(path: string): number | null {
  if (/(?:^|\/)stream\//.test(path)) return null;
  const [, ...found] = STEP.exec(path) ?? [];
  const digits = found.find((each) => each !== undefined);
  return digits === undefined ? null : Number(digits);
}
