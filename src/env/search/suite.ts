/**
 * The suite `compare`: tasks that are hard in ways of their own, each a data set of the search world, and scripted players that say what
 * a score on them is worth. `experiments/compare.json` trains methods on them; `docs/results/compare.md` has the scores.
 */
import { keyedDraw, type Draw } from '../hash.ts';
import type { LeafEnding, Prompt, TokenId, Trajectory } from '../../units.ts';
import { CALL_LIMIT, factsOf } from './episode.ts';
import { readQuestion, type Dataset } from './question.ts';
import { decodeTokens, encodeWords, searchEnvironment } from './search.ts';
import type { Fact } from './tools.ts';
import { POOLS, RELATIONS, SUBJECTS } from './world.ts';

/** How a scripted player reads its way along the relations of a question. */
interface Reading {
  readonly hops: number; // that it follows at most
  readonly looks: number; // pages that it reads of a hop at least
}

export interface SuiteTask {
  readonly name: Dataset;
  readonly title: string;
  readonly difficulty: string; // what makes it hard
  readonly shows: string; // what it is meant to tell methods apart by
  readonly tempted: Reading & { readonly words: string }; // what the task tempts a policy to do
}

export const COMPARE: readonly SuiteTask[] = [
  {
    name: 'musique',
    title: 'Long horizon, sparse success',
    difficulty: 'Three or four hops within five calls: nearly every path of the warm start ends wrongly.',
    shows:
      'Which methods live while nothing succeeds, and which give up: an answer at once (0) pays more than a call that ends malformed (−1).',
    tempted: { hops: 0, looks: 1, words: 'answers at once' },
  },
  {
    name: 'stale',
    title: 'Misleading first results',
    difficulty:
      'One or two hops; half of the first looks show a well-formed value that is out of date. Asking again shows the true one, and nothing tells which it was.',
    shows:
      'Which methods find and credit a second look that the warm start hardly ever takes, and go above what believing pays.',
    tempted: { hops: Infinity, looks: 1, words: 'believes first looks' },
  },
  {
    name: 'metered',
    title: 'A costly tool',
    difficulty:
      'Two hops; every answered call takes 0.2 off the reward, so that at the warm start calling pays less than answering at once.',
    shows: 'Which methods give the tool up, and which learn to use it well and no more than needed.',
    tempted: { hops: 0, looks: 1, words: 'answers at once' },
  },
  {
    name: 'halfway',
    title: 'Partial credit that tempts',
    difficulty:
      'Two or three hops; naming a step on the way pays 0.5, which at the warm start is more than going on earns.',
    shows:
      'Which methods settle for the half answer: reward rises while exact match, which counts whole answers alone, does not.',
    tempted: { hops: 1, looks: 1, words: 'stops after the first hop' },
  },
];

/** Settings over a preset of the search world that make it the task, as for `--set` of npm run lab. */
export const settingsOf = ({ name }: SuiteTask): readonly string[] => [
  `datasets=${name}`,
  `evaluation.datasets=${name}`,
];

type Ask = (entity: string, relation: string) => Promise<readonly Fact[]>; // nothing where the episode is over
type Player = (text: readonly string[], ask: Ask, draw: Draw) => Promise<string>; // its answer

/** Searches with probability ½ before it answers, both at random: well-formed and without a plan. */
const guesser: Player = async (_text, ask, draw) => {
  while (draw.unit() < 0.5) await ask(draw.pick(SUBJECTS), draw.pick(RELATIONS));
  return draw.pick(Object.values(POOLS).flat());
};

/** Asks for the entity's own row, page by page, and answers with what it read last; it knows nothing but what it read. */
const reader =
  ({ hops, looks }: Reading): Player =>
  async (text, ask) => {
    const question = readQuestion(text);
    if (question?.kind !== 'chain') throw new RangeError(`the suite asks chains, not ${text.join(' ')}`);
    let [entity, calls] = [question.start, 0];
    for (const relation of question.relations.slice(0, hops)) {
      let value: string | null = null;
      for (let look = 0; (look < looks || value === null) && calls < CALL_LIMIT; look += 1, calls += 1)
        value = (await ask(entity, relation)).find(([subject]) => subject === entity)?.[1] ?? value;
      entity = value ?? entity;
    }
    return entity;
  };

/** `random` knows the grammar alone, `tempted` does what the task tempts to, `oracle` reads what there is to read. */
export const playersOf = ({ name, tempted }: SuiteTask) => ({
  random: guesser,
  tempted: reader(tempted),
  oracle: reader({ hops: Infinity, looks: name === 'stale' ? 2 : 1 }),
});

/** Means over questions. */
export interface PlayerScores {
  readonly exactMatch: number;
  readonly reward: number;
  readonly calls: number; // answered
}

const turnOf = (tag: string, ...body: readonly string[]): readonly TokenId[] =>
  encodeWords(['<think>', 'plan', '</think>', `<${tag}>`, ...body, `</${tag}>`]);

async function playOne(prompt: Prompt, player: Player) {
  const turns: (readonly TokenId[])[] = [];
  const observations: (readonly TokenId[])[] = [];
  let state = searchEnvironment.start(prompt);
  let ending: LeafEnding = 'length'; // until it ends
  let isOver = false;
  const act = async (turn: readonly TokenId[]): Promise<readonly Fact[]> => {
    if (isOver) return [];
    turns.push(turn);
    const step = await searchEnvironment.step(prompt, state, turn);
    if (step.kind === 'end') {
      ending = step.ending;
      isOver = true;
      return [];
    }
    state = step.state;
    observations.push(step.tokens);
    return factsOf(decodeTokens(step.tokens)) ?? [];
  };
  const ask: Ask = (entity, relation) => act(turnOf('search', entity, relation));
  const answer = await player(decodeTokens(prompt.tokens), ask, keyedDraw(0x5e, prompt.seed));
  await act(turnOf('answer', answer));
  const trajectory: Trajectory = { turns, observations, ending };
  const { exactMatch } = searchEnvironment.grade(prompt, trajectory);
  return { exactMatch, reward: searchEnvironment.reward(prompt, trajectory), calls: observations.length };
}

/** @param prompts at least one, of the task */
export async function scorePlayer(prompts: readonly Prompt[], player: Player): Promise<PlayerScores> {
  const played = await Promise.all(prompts.map((prompt) => playOne(prompt, player)));
  const mean = (of: keyof PlayerScores): number =>
    played.reduce((sum, one) => sum + one[of], 0) / played.length;
  return { exactMatch: mean('exactMatch'), reward: mean('reward'), calls: mean('calls') };
}
