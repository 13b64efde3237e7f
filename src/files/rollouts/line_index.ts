/** Where the groups of an import stand in their files, in small numbers: what a record does not hold is read back by its lines. */
import type { FileLines } from '../../protocol/protocol.ts';
import type { ByteRange, Item } from './format.ts';
import { isTurn, type Rollout } from './rollout.ts';
import { groupHash } from './tally.ts';

const PART_BYTES = 4 * 2 ** 20; // of text, of an update that is read back
const PART_GROUPS = 2 ** 12;

/** A group and its lines. */
interface IndexedGroup {
  readonly hash: number; // of its key
  readonly step: number | null;
  readonly files: Map<string, number[]>; // ranges by path, by threes as in FileLines
  rollouts: number;
  bytes: number; // of text, about
}

/** An update of a record: a step of the trainer, or a part of one that is large. */
export interface IndexedUpdate {
  readonly step: number | null;
  readonly groups: readonly { readonly hash: number; readonly rollouts: number }[]; // in the order of the files
  readonly lines: readonly FileLines[];
}

/** Lines that stand next to each other are one range; a line may come again, with another rollout of it. */
function addRange(ranges: number[], { start, end, line }: ByteRange): void {
  const last = ranges.length - 3;
  const touches = last >= 0 && start >= ranges[last] && start <= ranges[last + 1] + 1;
  if (touches) ranges[last + 1] = Math.max(ranges[last + 1], end);
  else ranges.push(start, end, line);
}

/** By file and place, with neighbours joined. */
function joined(groups: readonly IndexedGroup[], formats: ReadonlyMap<string, string>): FileLines[] {
  const byPath = new Map<string, ByteRange[]>();
  for (const { files } of groups)
    for (const [path, ranges] of files) {
      const all = byPath.get(path) ?? [];
      byPath.set(path, all);
      for (let at = 0; at < ranges.length; at += 3) all.push({ start: ranges[at], end: ranges[at + 1], line: ranges[at + 2] }); // prettier-ignore
    }
  const hashes = groups.map(({ hash }) => hash);
  return [...byPath].map(([path, all]) => {
    const ranges: number[] = [];
    for (const range of all.toSorted((one, other) => one.start - other.start)) addRange(ranges, range);
    return { path, format: formats.get(path) ?? '', ranges, groups: hashes };
  });
}

export class LineIndex {
  readonly #groups = new Map<number, IndexedGroup>();
  readonly #formats = new Map<string, string>();
  #without: string | null = null; // the first file whose rollouts are no lines of it

  /** Rollouts without a turn are in no record. @param bytes of text, about */
  add({ rollout, format, ranges }: Extract<Item, { kind: 'rollout' }>, bytes: number): void {
    if (this.#without !== null || !hasTurn(rollout)) return;
    const { step } = rollout;
    const { path } = rollout.place;
    if (!ranges) {
      this.#without = path;
      return this.#groups.clear();
    }
    this.#formats.set(path, format.name);
    const hash = groupHash(rollout);
    const group = this.#groups.get(hash) ?? { hash, step, files: new Map<string, number[]>(), rollouts: 0, bytes: 0 }; // prettier-ignore
    this.#groups.set(hash, group);
    const own = group.files.get(path) ?? [];
    group.files.set(path, own);
    for (const range of ranges) addRange(own, range);
    group.rollouts += 1;
    group.bytes += bytes;
  }

  /** A file whose rollouts cannot be read back alone; null: there is none. */
  get without(): string | null {
    return this.#without;
  }

  /** By step, the unknown one first; a step of more text than is read back at once is cut into parts of whole groups. */
  updates(): readonly IndexedUpdate[] {
    const steps = new Map<number | null, { groups: IndexedGroup[]; bytes: number }[]>();
    for (const group of this.#groups.values()) {
      const parts = steps.get(group.step) ?? [];
      steps.set(group.step, parts);
      const last = parts.at(-1);
      const fits = last && last.bytes + group.bytes <= PART_BYTES && last.groups.length < PART_GROUPS;
      if (!fits) parts.push({ groups: [group], bytes: group.bytes });
      else {
        last.groups.push(group);
        last.bytes += group.bytes;
      }
    }
    return [...steps]
      .toSorted(([one], [other]) => (one ?? -Infinity) - (other ?? -Infinity))
      .flatMap(([step, parts]) =>
        parts.map(({ groups }) => ({
          step,
          groups: groups.map(({ hash, rollouts }) => ({ hash, rollouts })),
          lines: joined(groups, this.#formats),
        })),
      );
  }
}

export const hasTurn = ({ rows }: Rollout): boolean => rows.some(({ spans }) => spans.some(isTurn));
