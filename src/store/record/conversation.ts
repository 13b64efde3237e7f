/** A path as a conversation: who wrote what, in order; and a search of all that the trees of an update hold. Pure. */
import {
  ROOT,
  type Author,
  type AuthoredSpan,
  type NodeId,
  type TokenId,
  type TurnNode,
} from '../../units.ts';
import { pathTo, standingNodes, tokenText } from './reading.ts';
import type { TreeState } from './run_state.ts';

export { AUTHORS, type Author } from '../../units.ts';

/** A stretch by one author. */
export interface Passage {
  readonly author: Author;
  readonly text: string;
  readonly node: NodeId; // ROOT: of the prompt
  readonly guessed: boolean; // where it begins or ends could be read in another way
}

export interface Words {
  readonly texts: readonly string[]; // by token id
  readonly joiner: ' ' | '';
}

const textOf = (tokens: readonly TokenId[], { texts, joiner }: Words): string =>
  tokens.map((id) => tokenText(texts, id)).join(joiner);

/** Runs of one author where nobody says who that was: what the policy sampled, and what it read. */
function byMask(mask: readonly number[], read: Author): readonly AuthoredSpan[] {
  const spans: { author: Author; tokens: number }[] = [];
  for (const bit of mask) {
    const author = bit === 1 ? 'policy' : read;
    const last = spans.at(-1);
    if (last?.author === author) last.tokens += 1;
    else spans.push({ author, tokens: 1 });
  }
  return spans;
}

function passages(
  tokens: readonly TokenId[],
  spans: readonly AuthoredSpan[],
  node: NodeId,
  words: Words,
): readonly Passage[] {
  let start = 0;
  return spans.flatMap(({ author, tokens: length, guessed = false }) => {
    const text = textOf(tokens.slice(start, (start += length)), words);
    return text.trim() === '' && author !== 'policy' ? [] : [{ author, text, node, guessed }];
  });
}

const promptPassages = ({ prompt: { tokens, spans } }: TreeState, words: Words): readonly Passage[] =>
  passages(tokens, spans ?? [{ author: 'user', tokens: tokens.length }], ROOT, words);

const nodePassages = ({ id, tokens, mask, origin }: TurnNode, words: Words): readonly Passage[] => {
  const own = origin.kind === 'imported' ? origin.spans : undefined;
  return passages(tokens, own ?? byMask(mask, 'tool'), id, words);
};

/** From the prompt to the end of `leaf`. Where a row of the group was asked in words of its own, its first turn begins with them. */
export function conversationOf(tree: TreeState, leaf: NodeId, words: Words): readonly Passage[] {
  const said = pathTo(tree, leaf).flatMap((node) => (node.parent === null ? [] : nodePassages(node, words)));
  const isOwn = said[0] !== undefined && said[0].author !== 'policy';
  return isOwn ? said : [...promptPassages(tree, words), ...said];
}

export interface PassageQuery {
  readonly text: string; // any case; '' any
  readonly author: Author | null;
  readonly prompt: number | null; // of one tree
  readonly low: number | null; // least reward of a rollout that has the passage
  readonly high: number | null;
}

export interface PassageHit {
  readonly prompt: number;
  readonly node: NodeId;
  readonly author: Author;
  readonly before: string; // excerpt
  readonly found: string;
  readonly after: string;
}

const ABOUT = 40; // characters on either side

function hitIn({ author, text, node }: Passage, prompt: number, sought: string): PassageHit | null {
  const at = text.toLowerCase().indexOf(sought);
  if (at < 0) return null;
  const end = at + sought.length;
  return {
    ...{ prompt, node, author, found: text.slice(at, end) },
    before: text.slice(Math.max(0, at - ABOUT), at),
    after: text.slice(end, end + ABOUT + (sought === '' ? ABOUT : 0)),
  };
}

/** Nodes that a rollout with such a reward passes; null: all. */
function rewarded(tree: TreeState, { low, high }: PassageQuery): ReadonlySet<NodeId> | null {
  if (low === null && high === null) return null;
  const passed = new Set<NodeId>();
  for (const leaf of tree.leaves) {
    const reward = tree.rewards?.[leaf] ?? null;
    if (reward === null || (low !== null && reward < low) || (high !== null && reward > high)) continue;
    for (const { id } of pathTo(tree, leaf)) passed.add(id);
  }
  return passed;
}

/** The hits of one tree after another, so that who asks can stop in between; a passage that rollouts share is found once. */
export function* findPassages(
  trees: readonly TreeState[],
  query: PassageQuery,
  words: Words,
): Generator<readonly PassageHit[]> {
  const sought = query.text.toLowerCase();
  for (const tree of trees) {
    const { index } = tree.prompt;
    if (query.prompt !== null && query.prompt !== index) continue;
    const allowed = rewarded(tree, query);
    const hits = (list: readonly Passage[]): readonly PassageHit[] =>
      list.flatMap((passage) =>
        query.author !== null && passage.author !== query.author ? [] : (hitIn(passage, index, sought) ?? []),
      );
    const isIn = (id: NodeId): boolean => allowed === null || allowed.has(id);
    yield [
      ...(isIn(ROOT) ? hits(promptPassages(tree, words)) : []),
      ...standingNodes(tree).flatMap((node) =>
        node.parent !== null && isIn(node.id) ? hits(nodePassages(node, words)) : [],
      ),
    ];
  }
}
