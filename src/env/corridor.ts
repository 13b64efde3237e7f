/** A second, tiny task: two keys, one door, and a gem behind it. Three or four turns, no search. */
import {
  tokenId,
  type Environment,
  type Prompt,
  type TokenId,
  type Trajectory,
  type Transition,
} from '../units.ts';
import { UnknownDatasetError, UnreadablePromptError } from './errors.ts';
import { keyedDraw } from './hash.ts';

const COLOURS = ['red', 'blue', 'green', 'amber'];
const ENDS = ['west', 'east'];
const GEMS = ['opal', 'ruby', 'pearl', 'jade'];
const VOCABULARY: readonly string[] = [
  ...['<pad>', '<start>', '?', ';', '<act>', '</act>', '<see>', '</see>', '<say>', '</say>'],
  ...['door', 'here', 'look', 'take', 'open', 'none', 'locked'],
  ...COLOURS,
  ...ENDS,
  ...GEMS,
];
const DATASETS = ['hidden', 'told'] as const; // must look first · the prompt says where the keys are
const CALL_LIMIT = 4;
const CONTEXT_LENGTH = 64; // tokens
const TURN_TOKEN_LIMIT = 4;

const ids = new Map(VOCABULARY.map((word, id) => [word, tokenId(id)]));
const encode = (words: readonly string[]): readonly TokenId[] =>
  words.map((word) => ids.get(word) ?? tokenId(0));
const decode = (tokens: readonly TokenId[]): readonly string[] =>
  tokens.map((token) => VOCABULARY[token] ?? '<pad>');

interface Corridor {
  readonly door: string; // colour
  readonly keys: readonly [west: string, east: string]; // colours, one of them the door's
  readonly gem: string;
}

function corridorOf(seed: number): Corridor {
  const draw = keyedDraw(0xc0, seed);
  const [first, second] = draw.sample(COLOURS, 2);
  return { keys: [first, second], door: draw.pick([first, second]), gem: draw.pick(GEMS) };
}

const keyWords = ({ keys }: Corridor): readonly string[] => [keys[0], 'west', ';', keys[1], 'east'];

function prompt(dataset: string, seed: number, index: number): Prompt {
  const known = DATASETS.find((entry) => entry === dataset);
  if (!known) throw new UnknownDatasetError('corridor', dataset, DATASETS);
  const corridor = corridorOf(seed >>> 0);
  const hint = known === 'told' ? [...keyWords(corridor), ';'] : [];
  return {
    index,
    dataset,
    seed: seed >>> 0,
    tokens: encode(['<start>', ...hint, corridor.door, 'door', '?']),
    answer: encode([corridor.gem]),
  };
}

export interface CorridorState {
  readonly calls: number;
  readonly held: string | null; // colour of the key in hand
}

type ParsedTurn = { readonly act: readonly [verb: string, object: string] } | { readonly say: string };

/** `<act> VERB OBJECT </act>` or `<say> GEM </say>`; null when malformed. */
function parse(turn: readonly string[]): ParsedTurn | null {
  if (turn.slice(1, -1).some((word) => word.startsWith('<'))) return null;
  if (turn.length === 4 && turn[0] === '<act>' && turn[3] === '</act>') return { act: [turn[1], turn[2]] };
  if (turn.length === 3 && turn[0] === '<say>' && turn[2] === '</say>') return { say: turn[1] };
  return null;
}

/** What an act shows, and the key held after it. Taking a key puts the other one back. */
function act(
  corridor: Corridor,
  held: string | null,
  verb: string,
  object: string,
): [readonly string[], string | null] {
  if (verb === 'look' && object === 'here') return [keyWords(corridor), held];
  if (verb === 'take' && ENDS.includes(object)) {
    const key = corridor.keys[ENDS.indexOf(object)];
    return [[key], key];
  }
  if (verb === 'open' && object === 'door') return [[held === corridor.door ? corridor.gem : 'locked'], held];
  return [['none'], held];
}

function step(prompt: Prompt, state: CorridorState, turn: readonly TokenId[]): Transition<CorridorState> {
  const parsed = parse(decode(turn));
  if (!parsed) return { kind: 'end', ending: 'malformed', appended: [] };
  if ('say' in parsed) return { kind: 'end', ending: 'answer', appended: [] };
  if (state.calls >= CALL_LIMIT) return { kind: 'end', ending: 'call-limit', appended: [] };
  const [seen, held] = act(corridorOf(prompt.seed), state.held, ...parsed.act);
  return {
    kind: 'observe',
    tokens: encode(['<see>', ...seen, '</see>']),
    state: { calls: state.calls + 1, held },
  };
}

function reward(prompt: Prompt, trajectory: Trajectory): number {
  if (trajectory.ending !== 'answer') return -1;
  const last = parse(decode(trajectory.turns[trajectory.turns.length - 1] ?? []));
  if (!last || !('say' in last)) return -1;
  return ids.get(last.say) === prompt.answer[0] ? 1 : 0;
}

function solve(prompt: Prompt): readonly (readonly TokenId[])[] {
  const text = decode(prompt.tokens);
  if (text[0] !== '<start>') throw new UnreadablePromptError('corridor', text.join(' '));
  const corridor = corridorOf(prompt.seed);
  const end = ENDS[corridor.keys.indexOf(corridor.door)];
  const look = prompt.dataset === 'told' ? [] : [['<act>', 'look', 'here', '</act>']];
  const rest = [
    ['<act>', 'take', end, '</act>'],
    ['<act>', 'open', 'door', '</act>'],
    ['<say>', corridor.gem, '</say>'],
  ];
  return [...look, ...rest].map(encode);
}

export const corridorEnvironment: Environment<CorridorState> = {
  name: 'corridor',
  title: 'Key and door',
  description:
    'A corridor with a key at each end. Find the key that fits the door and name the gem behind it.',
  vocabulary: VOCABULARY,
  padToken: tokenId(0),
  stopTokens: encode(['</act>', '</say>']),
  contextLength: CONTEXT_LENGTH,
  turnTokenLimit: TURN_TOKEN_LIMIT,
  callLimit: CALL_LIMIT,
  datasets: DATASETS,
  prompt,
  start: () => ({ calls: 0, held: null }),
  step,
  reward,
  solve,
};
