/** The scripted model, tools and reward of rollout.json, behind the lab's own seams. */
import { tokenId } from '../../src/units.ts';
import type {
  Environment,
  GenerateRequest,
  Generation,
  Prompt,
  TokenId,
  Trajectory,
  Transition,
  TurnSampler,
} from '../../src/units.ts';

export interface RolloutHeader {
  readonly vocabulary: readonly string[];
  readonly pad_id: number;
  readonly eos_id: number;
  readonly stop_sequence: string;
  readonly limit_notice_tokens: readonly number[];
}

/** What the reference makes of a call that cannot be answered. */
export interface Failures {
  /** Words between the result tags when the tool fails; null: the path ends. */
  readonly errorWords: readonly string[] | null;
  /** One call too many: the path goes on after a notice, or ends with an end of text. */
  readonly callLimit: 'notice' | 'end';
}

/** AT²PO's rollout. */
const NOTICES: Failures = { errorWords: null, callLimit: 'notice' };

export interface RolloutConfigJson {
  readonly M: number;
  readonly K: number;
  readonly L: number;
  readonly samples_per_tree: number;
  readonly batch: number;
  readonly prompt_len: number;
  readonly response_length: number;
  readonly max_model_len: number;
  readonly call_limit: number;
}

export interface ScriptedCall {
  readonly max_tokens: number;
  readonly items: readonly {
    readonly context: readonly number[];
    readonly token_ids: readonly number[];
    readonly logprobs?: readonly number[];
    /** By token, pairs of token id and log-probability: what the server returned of the distribution. */
    readonly logprob_entries?: readonly (readonly (readonly [number, number])[])[];
    readonly finish_reason: 'stop' | 'length';
  }[];
}

export interface WorldScript {
  readonly header: RolloutHeader;
  readonly config: RolloutConfigJson;
  readonly prompts: readonly (readonly number[])[];
  readonly tool_results: Readonly<Record<string, string>>;
}

/** Path so far and calls made on it. */
interface WorldState {
  readonly path: readonly TokenId[]; // prompt and response
  readonly calls: number;
}

const CONTEXT_MARGIN = 100; // tokens that the reference leaves free when it shortens a tool result

/** Text inside the last complete pair of search tags, trimmed; empty if there is none. */
function lastQuery(text: string): string {
  const end = text.lastIndexOf('</search>');
  const start = text.lastIndexOf('<search>', end);
  return end < 0 || start < 0 ? '' : text.slice(start + '<search>'.length, end).trim();
}

/** The environment of one case: search tool by table, reward by the answer token. */
export function referenceWorld(
  { header, config, prompts, tool_results }: WorldScript,
  failures = NOTICES,
): Environment<WorldState> {
  const idOf = (text: string): TokenId => {
    const index = header.vocabulary.indexOf(text);
    if (index < 0) throw new Error(`the fixture's vocabulary lacks '${text}'`);
    return tokenId(index);
  };
  const [stop, eos] = [idOf(header.stop_sequence), tokenId(header.eos_id)];
  const [resultOpen, resultClose] = [idOf(' <result>'), idOf(' </result>')];
  const [answerOpen, rightAnswers] = [idOf('<answer>'), [idOf(' w0'), idOf(' w1')]];
  const textOf = (tokens: readonly TokenId[]) => tokens.map((token) => header.vocabulary[token]).join('');

  const answerCall = (path: readonly TokenId[], calls: number): Transition<WorldState> => {
    const query = lastQuery(textOf(path));
    if (query === '') return { kind: 'end', ending: 'empty-call', appended: [eos] };
    if (!(query in tool_results)) throw new Error(`the fixture has no tool result for '${query}'`);
    const failed = tool_results[query] === '';
    if (failed && !failures.errorWords) return { kind: 'end', ending: 'tool-failure', appended: [] };
    const found = failed ? failures.errorWords : tool_results[query].split(' ').map((word) => ` ${word}`);
    const result = [resultOpen, ...(found ?? []).map(idOf), resultClose];
    const fits = path.length + result.length <= config.max_model_len;
    const room = fits ? result.length : config.max_model_len - CONTEXT_MARGIN - path.length;
    if (room <= 0) return { kind: 'end', ending: 'tool-failure', appended: [] };
    const tokens = result.slice(0, room);
    return { kind: 'observe', tokens, state: { path: [...path, ...tokens], calls: calls + 1 } };
  };

  return {
    name: 'reference',
    title: 'Reference world',
    description: 'Scripted tools and reward of the rollout fixtures.',
    vocabulary: header.vocabulary,
    padToken: tokenId(header.pad_id),
    stopTokens: [stop, eos],
    contextLength: config.prompt_len + config.response_length,
    turnTokenLimit: config.max_model_len,
    callLimit: config.call_limit,
    datasets: ['fixture'],
    prompt: (dataset, seed, index): Prompt => ({
      index,
      dataset,
      seed,
      tokens: prompts[index].map(tokenId),
      answer: [],
    }),
    start: (prompt) => ({ path: prompt.tokens, calls: 0 }),
    step: (_prompt, state, turn) => {
      const path = [...state.path, ...turn];
      if (turn[turn.length - 1] !== stop) return { kind: 'end', ending: 'answer', appended: [] };
      if (state.calls < config.call_limit) return answerCall(path, state.calls);
      if (failures.callLimit === 'end') return { kind: 'end', ending: 'call-limit', appended: [eos] };
      const tokens = header.limit_notice_tokens.map(tokenId);
      return { kind: 'notice', tokens, state: { path: [...path, ...tokens], calls: state.calls } };
    },
    reward: (_prompt, { turns }: Trajectory) => {
      const sampled = turns.flat();
      const place = sampled.indexOf(answerOpen);
      if (place < 0) return -1;
      return rightAnswers.includes(sampled[place + 1]) ? 1 : 0;
    },
    // The fixtures grade nothing but the reward.
    formatTokens: [],
    grade: () => ({
      exactMatch: 0,
      f1: 0,
      formatValid: true,
      answer: null,
      unknown: false,
      toolsUsed: 0,
    }),
    callFailed: () => false,
    answerProbe: () => ({ bridge: [], answer: [answerOpen] }),
    solve: () => [],
  };
}

/** −Σ p ln p over the returned part of a distribution, nats. */
export const partialEntropy = (logProbs: readonly number[]): number =>
  logProbs.reduce((sum, logProb) => sum - Math.exp(logProb) * logProb, 0);

function logProbOf(pairs: readonly (readonly [number, number])[], token: number): number {
  const found = pairs.find(([id]) => id === token);
  if (!found) throw new Error(`the fixture has no log-probability of sampled token ${token}`);
  return found[1];
}

const zeros = ({ token_ids }: ScriptedCall['items'][number]) => token_ids.map(() => 0);

/** Answers generate calls from the script, in order, and checks that they ask what the reference asked. */
export class ScriptedSampler implements TurnSampler {
  private next = 0;
  private readonly calls: readonly ScriptedCall[];

  constructor(calls: readonly ScriptedCall[]) {
    this.calls = calls;
  }

  /** True when every scripted call has been made. */
  get finished(): boolean {
    return this.next === this.calls.length;
  }

  generate(requests: readonly GenerateRequest[]): Promise<readonly Generation[]> {
    const call = this.calls[this.next];
    const where = `generate call ${this.next}`;
    this.next += 1;
    if (!call) throw new Error(`${where}: the reference made only ${this.calls.length}`);
    if (requests.length !== call.items.length) {
      throw new Error(`${where}: ${requests.length} turns, the reference sampled ${call.items.length}`);
    }
    const answers = requests.map((request, index): Generation => {
      const item = call.items[index];
      if (request.maxTokens !== call.max_tokens) {
        throw new Error(`${where}: max_tokens ${request.maxTokens}, want ${call.max_tokens}`);
      }
      if (request.context.join() !== item.context.join())
        throw new Error(`${where}, turn ${index}: other context`);
      const entries = item.logprob_entries;
      return {
        tokens: item.token_ids.map(tokenId),
        logProb: item.logprobs ?? item.token_ids.map((id, place) => logProbOf(entries?.[place] ?? [], id)),
        entropy: entries?.map((pairs) => partialEntropy(pairs.map(([, logProb]) => logProb))) ?? zeros(item),
        finish: item.finish_reason,
      };
    });
    return Promise.resolve(answers);
  }
}
