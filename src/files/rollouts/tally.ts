/** Counts over all rollouts of an import, taken in one by one: what the command prints, in memory that a long file does not fill. */
import type { ImportSummary } from '../../protocol/protocol.ts';
import type { Format, Item, Recognised } from './format.ts';
import { lintsOf } from './lints.ts';
import { isTurn, promptOf, type Place, type Refusal, type Rollout, type Row, type Span } from './rollout.ts';
import { addReward, noRewards, StepTally, type GroupRewards } from './steps.ts';
import { segmentsOf } from './trees.ts';

/** A: text and rewards. B: with ids, mask and the sampler's log-probs. C: with numbers of the trainer. */
export type Tier = ImportSummary['tier'];

/** All that was counted; `rewards` are in the order of the input. */
export type Summary = Omit<ImportSummary, 'held' | 'rewards' | 'choices' | 'lints'> & {
  readonly rewards: readonly (number | null)[];
  readonly lints: readonly Lint[];
};

/** Lints of one kind: how many rollouts, and the first of them. */
export interface Lint {
  readonly kind: string;
  readonly text: string; // of the first
  readonly count: number;
  readonly places: readonly Place[];
}

const MOST_LISTED = 1000;
const MOST_PLACES = 5;
const MOST_KEYS = 8_000_000; // prefixes at hand; beyond them trees are no longer counted

/** cyrb53 (public domain, bryc): 53 bits of a text, chained by a seed. */
function hash(text: string, seed: number): number {
  let [high, low] = [0xdeadbeef ^ seed, 0x41c6ce57 ^ Math.floor(seed / 2 ** 21)];
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    high = Math.imul(high ^ code, 2654435761);
    low = Math.imul(low ^ code, 1597334677);
  }
  high = Math.imul(high ^ (high >>> 16), 2246822507) ^ Math.imul(low ^ (low >>> 13), 3266489909);
  low = Math.imul(low ^ (low >>> 16), 2246822507) ^ Math.imul(high ^ (high >>> 13), 3266489909);
  return 4294967296 * (2097151 & low) + (high >>> 0);
}

const hashSpans = (spans: readonly Span[], seed: number): number =>
  spans.reduce((sum, { author, text }) => hash(text, hash(author, sum)), seed);

/** Rows of one group and step, whatever the step is. */
export const groupKeyOf = ({ group, step }: Rollout): string =>
  `${step ?? ''}|${group.by ?? ''}|${group.key}`;

/** 53 bits of the same. */
export const groupHash = (rollout: Rollout): number => hash(groupKeyOf(rollout), 0);

/** Turns of a row as chained hashes of all that came before them: equal where rows begin alike. */
function prefixes(row: Row, seed: number): readonly number[] {
  let sum = hashSpans(promptOf(row), seed);
  return segmentsOf(row).map(({ spans }) => (sum = hashSpans(spans, sum)));
}

function observationsOf(spans: readonly Span[]): number {
  const first = spans.findIndex(isTurn);
  return spans.filter((each, at) => first >= 0 && at > first && !isTurn(each) && isTurn(spans[at - 1]))
    .length;
}

function tierOf(rollout: Rollout): Tier {
  const turns = rollout.rows.flatMap(({ spans }) => spans.filter(isTurn));
  const hasAll = (known: (span: Span) => boolean): boolean => turns.length > 0 && turns.every(known);
  if (!hasAll(({ tokens }) => tokens?.ids != null && tokens.mask !== null && tokens.logProbs !== null))
    return 'A';
  return hasAll(({ tokens }) => (tokens?.trainerLogProbs ?? tokens?.entropies ?? tokens?.advantages) != null)
    ? 'C'
    : 'B';
}

interface SeenGroup extends GroupRewards {
  readonly task: string;
  readonly number: number;
  isMixed: boolean;
  isTree: boolean; // has a turn
  isCounted: boolean; // in its step
}

/** Whether the file says where in a tree each turn stands. */
const isOfTree = ({ rows }: Rollout): boolean =>
  rows.every(({ spans }) => spans.every((each) => !isTurn(each) || each.node !== null));

/** A turn that rows have come through. */
interface SeenTurn {
  readonly rollout: number; // the first
  shared: boolean; // by another rollout
  next: number; // hash of what followed first; 0: the row ended
  parts: boolean; // rows go on differently
}

export class Tally {
  readonly #formats = new Map<Format, { recognised: Recognised; rollouts: number }>();
  readonly #groups = new Map<string, SeenGroup>();
  readonly #turns = new Map<number, SeenTurn>();
  readonly #whole = new Set<number>(); // rollouts by all their words and their reward
  readonly #lints = new Map<string, { text: string; count: number; places: Place[] }>();
  readonly #steps = new StepTally();
  readonly #rewards: (number | null)[] = [];
  readonly #failed: (Place & { text: string })[] = [];
  readonly #refused: Refusal[] = [];
  readonly #skipped: { path: string; why: string }[] = [];
  readonly #tiers = { A: 0, B: 0, C: 0 };
  readonly #has = { text: 0, ids: 0, mask: 0, logProbs: 0, rewards: 0 };
  readonly #by = new Map<string, number>();
  #refusedCount = 0;
  #rows = 0;
  #branches = 0;
  #trees = 0;
  #turnCount = 0;
  #observations = 0;
  #calls = 0;
  #tokens: number | null = 0;
  #sharing = { merges: 0, turns: 0, deepest: null as Summary['deepestMerge'] };

  get rollouts(): number {
    return this.#rewards.length;
  }

  add(item: Item): void {
    switch (item.kind) {
      case 'rollout':
        return this.#addRollout(item.rollout, item.format);
      case 'recognised':
        if (!this.#formats.has(item.format))
          this.#formats.set(item.format, { recognised: item.recognised, rollouts: 0 });
        return;
      case 'refused':
        this.#refusedCount += 1;
        if (this.#refused.length < MOST_LISTED) this.#refused.push(item.refusal);
        return;
      case 'skipped':
        if (this.#skipped.length < MOST_LISTED) this.#skipped.push({ path: item.path, why: item.why });
        return;
      case 'repeated':
        return this.#lint(
          'repeated',
          'a rollout with an id that was read before is not counted again',
          item.place,
        );
      case 'not-utf8':
        return this.#lint('not-utf8', 'a line has bytes that are not UTF-8: they are shown as �', item.place);
      case 'read':
        return;
      default:
        return item satisfies never;
    }
  }

  #lint(kind: string, text: string, place: Place): void {
    const known = this.#lints.get(kind) ?? { text, count: 0, places: [] };
    this.#lints.set(kind, known);
    known.count += 1;
    if (known.places.length < MOST_PLACES) known.places.push(place);
  }

  #addRollout(rollout: Rollout, format: Format): void {
    for (const { kind, text } of lintsOf(rollout)) {
      this.#lint(kind, text, rollout.place);
      if (kind === 'failed' && this.#failed.length < MOST_LISTED)
        this.#failed.push({ ...rollout.place, text });
    }
    const group = this.#groupOf(rollout);
    if (rollout.rows.length === 0) return; // failed before its first word
    const known = this.#formats.get(format);
    if (known) known.rollouts += 1;
    this.#rewards.push(rollout.reward);
    this.#tiers[tierOf(rollout)] += 1;
    if (!group.isCounted) this.#steps.addGroup(rollout.step, group);
    group.isCounted = true;
    if (rollout.reward !== null) addReward(group, rollout.reward);
    this.#count(rollout);
    const [turns, calls] = [this.#turnCount, this.#calls];
    this.#follow(rollout, group);
    this.#steps.add(rollout, this.#turnCount - turns, this.#calls - calls);
  }

  #groupOf(rollout: Rollout): SeenGroup {
    const key = String(hash(groupKeyOf(rollout), 0)); // a key may be a whole prompt
    const known = this.#groups.get(key);
    const task = String(hash(rollout.task, 1));
    if (!known) {
      const group = {
        ...noRewards(),
        task,
        number: this.#groups.size + 1,
        isMixed: false,
        isTree: false,
        isCounted: false,
      };
      this.#groups.set(key, group);
      const by = rollout.group.by ?? 'inferred: equal prompt';
      this.#by.set(by, (this.#by.get(by) ?? 0) + 1);
      return group;
    }
    if (known.task !== task && !known.isMixed && rollout.rows.length > 0) {
      known.isMixed = true;
      this.#lint('mixed-group', 'a group by id holds rollouts of different tasks', rollout.place);
    }
    return known;
  }

  #count({ rows, reward }: Rollout): void {
    this.#rows += rows.length;
    const turns = rows.flatMap(({ spans }) => spans.filter(isTurn));
    this.#has.text += Number(turns.some(({ text }) => text !== ''));
    this.#has.ids += Number(turns.some(({ tokens }) => tokens?.ids != null));
    this.#has.mask += Number(turns.some(({ tokens }) => tokens?.mask != null));
    this.#has.logProbs += Number(turns.some(({ tokens }) => tokens?.logProbs != null));
    this.#has.rewards += Number(reward !== null);
    const counts = turns.map(({ tokens }) => (tokens?.ids ?? tokens?.pieces)?.length ?? null);
    if (counts.includes(null)) this.#tokens = null;
    else if (this.#tokens !== null)
      this.#tokens += counts.reduce<number>((sum, each) => sum + (each ?? 0), 0);
  }

  /** Turns that rows of one rollout share are one; those that rollouts share are counted as merges. */
  #follow(rollout: Rollout, group: SeenGroup): void {
    const own = new Set<number>();
    let whole = hash(String(rollout.reward), group.number);
    for (const row of rollout.rows) {
      const keys = prefixes(row, group.number);
      const segments = segmentsOf(row);
      whole = hash(String(keys.at(-1)), whole);
      const shared = keys.findLastIndex((key) => own.has(key)) + 1;
      this.#branches += Number(keys.length > 0);
      if (keys.length > 0 && !group.isTree) this.#trees += 1;
      group.isTree ||= keys.length > 0;
      this.#turnCount += keys.length - shared;
      const fresh = segments.slice(shared).flatMap(({ spans }) => spans);
      this.#calls += fresh.reduce((sum, { calls }) => sum + calls.length, 0);
      const openedLater = shared > 0 && fresh[0] && !isTurn(fresh[0]) ? 1 : 0;
      const opened = shared > 0 ? fresh : row.spans;
      this.#observations += observationsOf(opened) + openedLater;
      keys.forEach((key) => own.add(key));
      this.#shareTurns(keys, rollout, group);
    }
    if (isOfTree(rollout) || this.#whole.size >= MOST_KEYS) return; // rows of a tree may say the same
    if (this.#whole.has(whole)) this.#lint('equal', 'a rollout has the words and the reward of another of its group', rollout.place); // prettier-ignore
    this.#whole.add(whole);
  }

  /** The last turn of a row is its own. */
  #shareTurns(keys: readonly number[], rollout: Rollout, group: SeenGroup): void {
    if (isOfTree(rollout)) return; // its file says what rows share: nothing is inferred
    const { key: name } = rollout.group;
    const number = this.#rewards.length;
    keys.slice(0, -1).forEach((key, at) => {
      const isLast = at === keys.length - 2;
      const next = isLast ? -number : keys[at + 1]; // the leaf that follows is another for each row
      const seen = this.#turns.get(key);
      if (!seen) {
        if (this.#turns.size < MOST_KEYS)
          this.#turns.set(key, { rollout: number, shared: false, next, parts: false });
        return;
      }
      if (seen.rollout === number) return;
      if (!seen.shared) this.#sharing.turns += 1;
      seen.shared = true;
      if (seen.parts || seen.next === next) return;
      seen.parts = true;
      this.#sharing.merges += 1;
      if (at + 1 > (this.#sharing.deepest?.turns ?? 0)) this.#sharing.deepest = { turns: at + 1, group: `${group.number} (${name.slice(0, 60)})` }; // prettier-ignore
    });
  }

  #tierWords(tier: Tier): string {
    const all = this.#rewards.length;
    const { text, ids, mask, logProbs, rewards } = this.#has;
    const parts = [text > 0 && 'text', ids > 0 && 'token ids', mask > 0 && 'mask', logProbs > 0 && 'log-probabilities of the sampler', tier === 'C' && 'numbers of the trainer'].filter(Boolean); // prettier-ignore
    const only = tier === 'A' && ids > 0 && logProbs === 0 ? ' (ids + mask only: no log-probabilities)' : '';
    const some = tier === 'A' && ids > 0 && ids < all ? ` (ids in ${ids} of ${all} rollouts)` : '';
    return `${parts.join(', ')}${only}${some}; rewards of ${rewards} of ${all} rollouts`;
  }

  summary(): Summary {
    const formats = [...this.#formats].toSorted(([, one], [, other]) => other.rollouts - one.rollouts);
    const [format, first] = formats[0] ?? [];
    const tier = this.#rewards.length === 0 || this.#tiers.A > 0 ? 'A' : this.#tiers.B > 0 ? 'B' : 'C';
    return {
      ...{ format: format?.name ?? '', title: format?.title ?? 'nothing that is known' },
      ...{ version: first?.recognised.version ?? '', why: first?.recognised.why ?? '' },
      formats: Object.fromEntries(formats.map(([{ name }, { rollouts }]) => [name, rollouts])),
      ...{ tier, tierWords: this.#tierWords(tier), tiers: { ...this.#tiers } },
      ...{ rollouts: this.#rewards.length, failed: this.#failed, rows: this.#rows, branches: this.#branches },
      ...{
        groups: this.#groups.size,
        groupedBy: [...this.#by.keys()].join('; '),
        steps: this.#steps.size,
        byStep: this.#steps.summary(),
      },
      ...{
        turns: this.#turnCount,
        observations: this.#observations,
        calls: this.#calls,
        tokens: this.#tokens,
      },
      ...{ rewards: this.#rewards, trees: this.#trees },
      ...{
        merges: this.#sharing.merges,
        mergedTurns: this.#sharing.turns,
        deepestMerge: this.#sharing.deepest,
      },
      lints: [...this.#lints].map(([kind, lint]) => ({ kind, ...lint })),
      ...{ refused: this.#refused, refusedCount: this.#refusedCount, skipped: this.#skipped },
    };
  }
}
