/** A second, tiny task: take the key, open the door. Three or four turns of one word each, no search. */
import {
  tokenId,
  type Environment,
  type Grade,
  type Prompt,
  type SpokenEpisode,
  type ToldTurn,
  type TokenId,
  type Trajectory,
  type Transition,
} from '../units.ts';
import { UnknownDatasetError, UnreadablePromptError } from './errors.ts';
import { keyedDraw } from './hash.ts';

const PLACES = ['west', 'middle', 'east'];
const ACTIONS = ['west', 'east', 'take', 'open'];
const VOCABULARY: readonly string[] = [
  ...['<pad>', '<start>', '?', '<see>', '</see>', 'key', 'door', 'you'],
  ...PLACES,
  ...['take', 'open', 'none', 'locked', 'held'],
];
const DATASETS = ['corridor'] as const;
const CALL_LIMIT = 5; // turns before the one that opens the door
const CONTEXT_LENGTH = 32; // tokens; the longest path has 29

const ids = new Map(VOCABULARY.map((word, id) => [word, tokenId(id)]));
const encode = (words: readonly string[]): readonly TokenId[] =>
  words.map((word) => ids.get(word) ?? tokenId(0));
const decode = (tokens: readonly TokenId[]): readonly string[] =>
  tokens.map((token) => VOCABULARY[token] ?? '<pad>');

/** Places 0 west, 1 middle, 2 east. */
interface Layout {
  readonly key: number;
  readonly door: number;
  readonly start: number;
}

export interface CorridorState {
  readonly place: number; // 0 west, 1 middle, 2 east
  readonly held: boolean; // the key is in hand
  readonly calls: number;
}

/** Turns of the shortest way: to the key, take, to the door, open. */
const turnsNeeded = ({ key, door, start }: Layout): number =>
  Math.abs(start - key) + 1 + Math.abs(key - door) + 1;

const ALL_LAYOUTS: readonly Layout[] = [0, 1, 2].flatMap((key) =>
  [0, 1, 2].flatMap((door) => (door === key ? [] : [0, 1, 2].map((start) => ({ key, door, start })))),
);

/** Half of the questions take three turns, half four. */
function layoutOf(seed: number): Layout {
  const draw = keyedDraw(0xc0, seed);
  const turns = draw.pick([3, 4]);
  return draw.pick(ALL_LAYOUTS.filter((layout) => turnsNeeded(layout) === turns));
}

function prompt(dataset: string, seed: number, index: number): Prompt {
  if (!DATASETS.some((entry) => entry === dataset))
    throw new UnknownDatasetError('corridor', dataset, DATASETS);
  const { key, door, start } = layoutOf(seed >>> 0);
  const words = ['<start>', 'key', PLACES[key], 'door', PLACES[door], 'you', PLACES[start], '?'];
  return { index, dataset, seed: seed >>> 0, tokens: encode(words), answer: encode(['open']) };
}

/** The layout that a prompt's own words tell. */
function readLayout(prompt: Prompt): Layout {
  const words = decode(prompt.tokens);
  const [key, door, start] = [words[2], words[4], words[6]].map((word) => PLACES.indexOf(word));
  if (Math.min(key, door, start) < 0) throw new UnreadablePromptError('corridor', words.join(' '));
  return { key, door, start };
}

/** What an action shows, and the state after it; `opened` when the key meets the door. */
function act(
  layout: Layout,
  state: CorridorState,
  action: string,
): { readonly seen: string; readonly state: CorridorState } {
  const after = { ...state, calls: state.calls + 1 };
  if (action === 'take') {
    const found = state.place === layout.key && !state.held;
    return { seen: found ? 'held' : 'none', state: { ...after, held: state.held || found } };
  }
  if (action === 'open') {
    if (state.place !== layout.door) return { seen: 'none', state: after };
    return { seen: state.held ? 'opened' : 'locked', state: after };
  }
  const place = Math.min(2, Math.max(0, state.place + (action === 'west' ? -1 : 1)));
  const keyHere = place === layout.key && !state.held;
  return { seen: keyHere ? 'key' : place === layout.door ? 'door' : 'none', state: { ...after, place } };
}

function step(prompt: Prompt, state: CorridorState, turn: readonly TokenId[]): Transition<CorridorState> {
  const action = decode(turn)[0];
  if (turn.length !== 1 || !ACTIONS.includes(action))
    return { kind: 'end', ending: 'malformed', appended: [] };
  const { seen, state: after } = act(readLayout(prompt), state, action);
  if (seen === 'opened') return { kind: 'end', ending: 'answer', appended: [] };
  if (state.calls >= CALL_LIMIT) return { kind: 'end', ending: 'call-limit', appended: [] };
  return { kind: 'observe', tokens: encode(['<see>', seen, '</see>']), state: after };
}

/**
 * 1 for an opened door. Else −1, plus 0.1 per action (three count), 0.3 once the key was in hand and 0.3 more once the
 * door was reached with it: at most −0.1, and enough for a policy with random parameters to climb.
 */
function reward(_prompt: Prompt, { ending, observations }: Trajectory): number {
  if (ending === 'answer') return 1;
  const seen = observations.map((tokens) => decode(tokens)[1]);
  const taken = seen.indexOf('held');
  const reachedDoor = taken >= 0 && seen.indexOf('door', taken) >= 0;
  return (Math.min(3, seen.length) + (taken >= 0 ? 3 : 0) + (reachedDoor ? 3 : 0) - 10) / 10;
}

/** F1 is the progress that the reward pays for, from 0 to 1. Nothing here is a tool or an admission. */
function grade(prompt: Prompt, trajectory: Trajectory): Grade {
  const opened = trajectory.ending === 'answer';
  return {
    exactMatch: opened ? 1 : 0,
    f1: opened ? 1 : 1 + reward(prompt, trajectory),
    formatValid: trajectory.ending !== 'malformed',
    answer: opened ? prompt.answer : null,
    unknown: false,
    toolsUsed: 0,
  };
}

/** Taking where no key lies, opening where no door stands or without the key. */
function callFailed(turn: readonly TokenId[], observation: readonly TokenId[]): boolean {
  const [action] = decode(turn);
  const seen = decode(observation)[1];
  return (action === 'take' || action === 'open') && (seen === 'none' || seen === 'locked');
}

function solve(prompt: Prompt): readonly (readonly TokenId[])[] {
  const { key, door, start } = readLayout(prompt);
  const walk = (from: number, to: number): string[] =>
    Array.from({ length: Math.abs(to - from) }, () => (to < from ? 'west' : 'east'));
  return [...walk(start, key), 'take', ...walk(key, door), 'open'].map((action) => encode([action]));
}

export const corridorEnvironment: Environment<CorridorState> = {
  name: 'corridor',
  title: 'Key and door',
  description:
    'Three places in a row: walk to the key, take it, walk to the door and open it, within six turns.',
  vocabulary: VOCABULARY,
  padToken: tokenId(0),
  stopTokens: encode(ACTIONS),
  contextLength: CONTEXT_LENGTH,
  turnTokenLimit: 1,
  callLimit: CALL_LIMIT,
  datasets: DATASETS,
  formatTokens: [], // a turn is one word
  prompt,
  start: (prompt) => ({ place: readLayout(prompt).start, held: false, calls: 0 }),
  step,
  reward,
  grade,
  callFailed,
  answerProbe: ({ answer }) => ({ bridge: [], answer }),
  solve,
};

/** What a step shows, as a person would say it. */
const SEEN: Readonly<Record<string, string>> = {
  key: 'and sees the key',
  door: 'and sees the door',
  none: 'and sees nothing',
};

function actionWords(action: string, seen: string | undefined): string {
  if (action === 'take') {
    if (seen === undefined) return 'Reaches for the key';
    return seen === 'held' ? 'Takes the key' : 'Reaches for a key where none lies';
  }
  if (action === 'open') {
    if (seen === undefined) return 'Tries the door';
    return seen === 'locked'
      ? 'Tries the door without the key: it is locked'
      : 'Tries to open where no door stands';
  }
  return `Walks ${action}${seen === undefined ? '' : ` ${SEEN[seen] ?? `and sees ${seen}`}`}`;
}

/** Tells an episode of key and door. An opened door needed the key: no right answer is lucky. */
export function tellCorridor({ turns, observations, ending }: SpokenEpisode): readonly ToldTurn[] {
  return turns.map((turn, place): ToldTurn => {
    const isLast = place === turns.length - 1;
    const [action] = turn;
    if (turn.length !== 1 || !ACTIONS.includes(action))
      return { action: 'malformed', fate: 'malformed', sentence: `Malformed: a turn is one of ${ACTIONS.join(', ')}. The path ends.` }; // prettier-ignore
    if (isLast && ending === 'answer')
      return { action, fate: 'right', sentence: 'Opens the door with the key: right.' };
    const words = actionWords(action, observations[place]?.[1]);
    if (isLast && ending === 'call-limit')
      return { action, fate: 'out of turns', sentence: `${words}. That was the last of ${CALL_LIMIT + 1} turns: the door stays shut.` }; // prettier-ignore
    if (isLast && ending === 'length')
      return { action, fate: 'out of room', sentence: `${words}. No room is left: the path ends.` };
    return { action, fate: 'goes on', sentence: `${words}.` };
  });
}
