/** Where the stages meet: environment and turn sampler. */
import type { LeafEnding, Prompt, TokenId } from './trees.ts';

/** What the environment makes of a turn. */
export type Transition<State> =
  | { readonly kind: 'observe'; readonly tokens: readonly TokenId[]; readonly state: State }
  | { readonly kind: 'notice'; readonly tokens: readonly TokenId[]; readonly state: State } // the same node goes on
  | {
      readonly kind: 'end';
      readonly ending: LeafEnding;
      readonly appended: readonly TokenId[]; // trained on (mask 1) though not sampled
    };

/** A path through the environment, as rewards see it. */
export interface Trajectory {
  readonly turns: readonly (readonly TokenId[])[]; // sampled tokens, turn by turn
  readonly observations: readonly (readonly TokenId[])[];
  readonly ending: LeafEnding;
}

/** What a path achieved, before any rule of reward makes a number of it. */
export interface Grade {
  readonly exactMatch: 0 | 1; // the answer is the true one, whatever the form of the turn around it
  readonly f1: number; // [0, 1]: partial credit; the environment says for what
  readonly formatValid: boolean; // every turn follows the grammar and the path ends as it should
  readonly answer: readonly TokenId[] | null; // as far as one can be read, even from a malformed turn
  readonly unknown: boolean; // that answer is "I do not know"
  readonly toolsUsed: number; // different tools that were called
}

/** An episode in the words of its world, or the beginning of one. */
export interface SpokenEpisode {
  readonly dataset: string;
  readonly seed: number; // uint32 of the prompt
  readonly question: readonly string[];
  readonly answer: readonly string[]; // the true one
  readonly turns: readonly (readonly string[])[];
  readonly observations: readonly (readonly string[])[]; // the i-th answers turn i; the last turn's may be missing
  readonly ending: LeafEnding | null; // null: it goes on
}

/** What a turn comes to. `lucky`: the right answer, without the evidence for it. */
export type TurnFate = 'goes on' | 'right' | 'lucky' | 'wrong' | 'malformed' | 'out of turns' | 'out of room';

/** One turn told to a person. */
export interface ToldTurn {
  readonly action: string; // in a few words, such as "search Tara father"; '' where the turn is not whole yet
  readonly sentence: string; // '' where the turn is not whole yet
  readonly fate: TurnFate;
}

/** Tells an episode, one entry per turn. */
export type Teller = (episode: SpokenEpisode) => readonly ToldTurn[];

/** The true answer as the policy would write it, to measure how likely the policy holds it. */
export interface AnswerProbe {
  readonly bridge: readonly TokenId[]; // closes the thought and opens the answer
  readonly answer: readonly TokenId[]; // at least one
}

/** A task: one file in src/env. State is opaque to everyone else and never mutated. */
export interface Environment<State = unknown> {
  readonly name: string;
  readonly title: string;
  readonly description: string; // one or two sentences for the page
  readonly vocabulary: readonly string[]; // token texts; id = index
  readonly padToken: TokenId;
  readonly stopTokens: readonly TokenId[]; // a turn ends after one of these
  readonly contextLength: number; // tokens, prompt and response together
  readonly turnTokenLimit: number; // most tokens sampled in one turn
  readonly callLimit: number;
  readonly datasets: readonly string[];
  /** The question of a seed; the same seed gives the same question and world. */
  prompt(dataset: string, seed: number, index: number): Prompt;
  start(prompt: Prompt): State;
  step(
    prompt: Prompt,
    state: State,
    turn: readonly TokenId[],
  ): Transition<State> | Promise<Transition<State>>;
  readonly formatTokens: readonly TokenId[]; // words of the grammar that the policy writes
  /** Dimensionless; from the whole path. */
  reward(prompt: Prompt, trajectory: Trajectory): number;
  grade(prompt: Prompt, trajectory: Trajectory): Grade;
  /** Whether a tool call came to nothing: what was called, and what it showed. */
  callFailed(turn: readonly TokenId[], observation: readonly TokenId[]): boolean;
  answerProbe(prompt: Prompt): AnswerProbe;
  /** A scripted solution that earns the top reward, turn by turn. */
  solve(prompt: Prompt): readonly (readonly TokenId[])[];
}

/** Words that key one turn's random numbers; see algo/random.ts. */
export interface TurnKey {
  readonly prompt: number;
  readonly node: number; // NodeId of the turn being sampled
  readonly firstToken: number; // tokens already sampled in this node
}

export interface GenerateRequest {
  readonly context: readonly TokenId[]; // prompt and response so far
  readonly key: TurnKey;
  readonly maxTokens: number;
}

export interface Generation {
  readonly tokens: readonly TokenId[];
  readonly logProb: readonly number[]; // nats
  readonly entropy: readonly number[]; // nats
  readonly finish: 'stop' | 'length'; // ended at a stop token, or at maxTokens
}

/** What growing a tree needs of a policy. Requests of one call are sampled together. */
export interface TurnSampler {
  generate(requests: readonly GenerateRequest[]): Promise<readonly Generation[]>;
}

/** How turns are sampled. */
export interface SamplingConfig {
  readonly temperature: number; // 0 = greedy
  readonly stopTokens: readonly TokenId[];
}

/** Key of a run's random numbers. Every use folds in its own counter words. */
export interface RandomKey {
  readonly seed: number; // uint32
  readonly update: number; // 0 = before the first update (evaluation)
}
