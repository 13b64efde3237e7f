/** The mini multi-hop search world as an Environment: words to token ids, limits and rewards. */
import { CALL_LIMIT, factsOf, NO_CALLS, playTurn, answerIn, parseTurn, type CallHistory } from './episode.ts';
import {
  ALL_DATASETS,
  answerOf,
  makeQuestion,
  missingFact,
  questionWords,
  readQuestion,
  UNKNOWN,
  type Question,
  type Dataset,
} from './question.ts';
import { PAGES, type SearchIndex } from './tools.ts';
import {
  tokenId,
  type AnswerProbe,
  type Environment,
  type Grade,
  type Prompt,
  type TokenId,
  type Trajectory,
  type Transition,
} from '../../units.ts';
import { UnknownDatasetError, UnreadablePromptError } from '../errors.ts';
import { idOf, valueOf, VOCABULARY } from './world.ts';

// The scripted solution of a question: reads the right row, turns the page, compares by the calculator.

type Note = readonly string[];
const turnWords = (note: Note, tag: string, body: readonly string[]): readonly string[] => [
  '<think>',
  ...note,
  '</think>',
  `<${tag}>`,
  ...body,
  `</${tag}>`,
];

interface Progress {
  readonly turns: readonly (readonly string[])[];
  readonly history: CallHistory;
  readonly note: Note; // what the next turn thinks
}

const RETRY = 'retry';

/** Asks until the entity's own row shows up; the last note stays `retry` where pages or calls run out. */
function lookUp(index: SearchIndex, progress: Progress, entity: string, relation: string): Progress {
  let { turns, history, note } = progress;
  for (let page = 0; page < PAGES && history.calls.length < CALL_LIMIT; page += 1) {
    const turn = turnWords(note, 'search', [entity, relation]);
    const outcome = playTurn(index, history, turn);
    if (outcome.kind !== 'result') break;
    turns = [...turns, turn];
    history = outcome.history;
    const found = factsOf(outcome.words)?.find(([subject]) => subject === entity);
    note = [entity, found ? found[1] : RETRY];
    if (found && !(index.stale && page === 0)) break; // a first look is not to be trusted there
  }
  return { turns, history, note };
}

/**
 * Turns, in words, that end in the true answer. Where the pages hide more than five calls can reach (some
 * musique questions), the calls stop at the limit and the answer is given all the same, so the reward is 1. An
 * unanswerable question is given up where its missing fact shows on no page.
 */
function solutionTurns(
  index: SearchIndex,
  question: Question,
  answer: string,
): readonly (readonly string[])[] {
  let progress: Progress = { turns: [], history: NO_CALLS, note: ['plan'] };
  if (question.kind === 'chain') {
    let entity = question.start;
    for (const relation of question.relations) {
      progress = lookUp(index, progress, entity, relation);
      entity = progress.note[1];
      if (entity === RETRY) break;
    }
    return [...progress.turns, turnWords(progress.note, 'answer', [answer])];
  }
  progress = lookUp(index, progress, question.first, 'year');
  const firstYear = progress.note[1];
  progress = lookUp(index, progress, question.second, 'year');
  const comparison = turnWords(progress.note, 'calc', [firstYear, progress.note[1]]);
  const verdict = firstYear < progress.note[1] ? 'less' : 'more';
  return [...progress.turns, comparison, turnWords([verdict], 'answer', [answer])];
}

const CONTEXT_LENGTH = 96; // tokens, prompt and response together
const TURN_TOKEN_LIMIT = 10;
/** Room a next turn needs at the least: the rule of the reference world. */
const CONTEXT_RESERVE = 2;

const GRAMMAR = ['think', 'search', 'calc', 'answer'].flatMap((tag) => [`<${tag}>`, `</${tag}>`]);
/** A thought that says nothing; `plan` is the word that the warm start opens every path with. */
const BRIDGE = ['<think>', 'plan', '</think>', '<answer>'];

export const encodeWords = (words: readonly string[]): readonly TokenId[] =>
  words.map((word) => tokenId(idOf(word)));
export const decodeTokens = (tokens: readonly TokenId[]): readonly string[] =>
  tokens.map((token) => VOCABULARY[token] ?? '<pad>');

/** A path so far: its calls, and its length in tokens, prompt included. */
export interface SearchState extends CallHistory {
  readonly length: number;
}

/** What a data set changes beside its questions; each 0 or absent where it is as in the reference world. */
interface Rules {
  readonly adversarial?: boolean; // the true row is usually second
  readonly stale?: boolean; // a first look may show what was true once
  readonly callCost?: number; // taken off the reward for every call that was answered
  readonly halfwayPay?: number; // reward of an answer that is only a step on the way
}

const RULES: ReadonlyMap<string, Rules> = new Map<Dataset, Rules>([
  ['bamboogle', { adversarial: true }],
  ['stale', { stale: true }],
  ['metered', { callCost: 0.2 }],
  ['halfway', { halfwayPay: 0.5 }],
]);

export const rulesOf = ({ dataset }: Pick<Prompt, 'dataset'>): Rules => RULES.get(dataset) ?? {};

export const indexOf = (prompt: Pick<Prompt, 'dataset' | 'seed'>): SearchIndex => ({
  seed: prompt.seed,
  adversarial: rulesOf(prompt).adversarial ?? false,
  ...(rulesOf(prompt).stale ? { stale: true } : {}),
  ...(prompt.dataset === 'unanswerable' ? { missing: missingFact(prompt.seed) } : {}),
});

/** @throws UnknownDatasetError */
export function datasetNamed(name: string): Dataset {
  const dataset = ALL_DATASETS.find((entry) => entry === name);
  if (!dataset) throw new UnknownDatasetError('search', name, ALL_DATASETS);
  return dataset;
}

function prompt(dataset: string, seed: number, index: number): Prompt {
  const uint32 = seed >>> 0;
  const question = makeQuestion(datasetNamed(dataset), uint32);
  return {
    index,
    dataset,
    seed: uint32,
    tokens: encodeWords(questionWords(question)),
    answer: encodeWords([dataset === 'unanswerable' ? UNKNOWN : answerOf(uint32, question)]),
  };
}

function step(prompt: Prompt, state: SearchState, turn: readonly TokenId[]): Transition<SearchState> {
  const outcome = playTurn(indexOf(prompt), state, decodeTokens(turn));
  if (outcome.kind === 'answered') return { kind: 'end', ending: 'answer', appended: [] };
  if (outcome.kind === 'ended') return { kind: 'end', ending: outcome.ending, appended: [] };
  const length = state.length + turn.length + outcome.words.length;
  if (length + CONTEXT_RESERVE >= CONTEXT_LENGTH) return { kind: 'end', ending: 'length', appended: [] };
  return { kind: 'observe', tokens: encodeWords(outcome.words), state: { ...outcome.history, length } };
}

/** The values that lead to the answer of a chain, without the answer. */
function stepsOnTheWay(prompt: Prompt): readonly string[] {
  const question = readQuestion(decodeTokens(prompt.tokens));
  if (question?.kind !== 'chain') return [];
  let entity = question.start;
  return question.relations.slice(0, -1).map((relation) => (entity = valueOf(prompt.seed, entity, relation)));
}

/** What an answer is worth: 1 for the true one, what the data set pays for a step on the way, else 0. */
function worthOf(prompt: Prompt, answer: string): number {
  if (idOf(answer) === prompt.answer[0]) return 1;
  const { halfwayPay = 0 } = rulesOf(prompt);
  return halfwayPay > 0 && stepsOnTheWay(prompt).includes(answer) ? halfwayPay : 0;
}

/** −1 unless the path ends in an answer, else what that is worth; less what the calls cost. */
function reward(prompt: Prompt, { turns, observations, ending }: Trajectory): number {
  const last = ending === 'answer' ? parseTurn(decodeTokens(turns[turns.length - 1] ?? [])) : null;
  const earned = last?.tag === 'answer' ? worthOf(prompt, last.answer) : -1;
  return earned - (rulesOf(prompt).callCost ?? 0) * observations.length;
}

/**
 * Answers are one word, so F1 is exact match, or what a step on the way pays. Tools count when their turn is well-formed and
 * was answered; what they cost does not.
 */
function grade(prompt: Prompt, { turns, observations, ending }: Trajectory): Grade {
  const words = turns.map(decodeTokens);
  const answer = answerIn(words[words.length - 1] ?? []);
  const exactMatch = answer !== null && idOf(answer) === prompt.answer[0] ? 1 : 0;
  const tools = words.slice(0, observations.length).map((turn) => parseTurn(turn)?.tag);
  return {
    exactMatch,
    f1: answer === null ? 0 : worthOf(prompt, answer),
    formatValid: ending === 'answer' && answer !== null,
    answer: answer === null ? null : encodeWords([answer]),
    unknown: answer === UNKNOWN,
    toolsUsed: new Set(tools.filter((tag) => tag === 'search' || tag === 'calc')).size,
  };
}

const callFailed = (_turn: readonly TokenId[], observation: readonly TokenId[]): boolean =>
  decodeTokens(observation).includes(UNKNOWN);

const answerProbe = ({ answer }: Prompt): AnswerProbe => ({ bridge: encodeWords(BRIDGE), answer });

function solve(prompt: Prompt): readonly (readonly TokenId[])[] {
  const text = decodeTokens(prompt.tokens);
  const question = readQuestion(text);
  if (!question) throw new UnreadablePromptError('search', text.join(' '));
  const answer = decodeTokens(prompt.answer)[0];
  return solutionTurns(indexOf(prompt), question, answer).map(encodeWords);
}

export const searchEnvironment: Environment<SearchState> = {
  name: 'search',
  title: 'Multi-hop search',
  description:
    'Answer a question by searching a small world, two facts a page. The true fact may stand second or on the next page; five tool calls at most.',
  vocabulary: VOCABULARY,
  padToken: tokenId(idOf('<pad>')),
  stopTokens: encodeWords(['</search>', '</calc>', '</answer>']),
  contextLength: CONTEXT_LENGTH,
  turnTokenLimit: TURN_TOKEN_LIMIT,
  callLimit: CALL_LIMIT,
  datasets: ALL_DATASETS,
  formatTokens: encodeWords(GRAMMAR),
  prompt,
  start: (prompt) => ({ ...NO_CALLS, length: prompt.tokens.length }),
  step,
  reward,
  grade,
  callFailed,
  answerProbe,
  solve,
};
