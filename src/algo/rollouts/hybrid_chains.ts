/**
 * RAPO: independent paths, some of which borrow. After a tool result such a hybrid path may take, instead of a turn of
 * its own, the stored step whose history is most like its own; the step is played, not trained on (mask 0), and the
 * policy goes on after its result. The node is marked `retrieved`; its last `lastGenerationLength` tokens are the step.
 * @see arXiv:2603.03078 Sec. 4.1; algorithms' spec, related 5
 */
import type { Environment, Prompt, RandomKey, RolloutConfig, TokenId } from '../../units.ts';
import { keyedRandom, STREAMS } from '../random.ts';
import { appendTokens } from '../tree/tree_builder.ts';
import { responseTokens } from '../tree/tree.ts';
import {
  checkSizes,
  chooseRows,
  close,
  follow,
  goOn,
  playRound,
  roomLeft,
  settle,
  startTrees,
  stepOf,
  type Forest,
  type Growing,
} from './growing.ts';
import { overlap, range, type GrowRollout, type RolloutRule } from './shape.ts';

// Steps of an expert, each stored under the history it was taken in; asked for the step whose history is most like
// another. The expert is the environment's scripted solution.
// @see RAPO, arXiv:2603.03078 Sec. 4.1; algorithms' spec, related 5

interface StoredStep {
  readonly prompt: Prompt;
  readonly history: ReadonlySet<TokenId>; // tokens of the prompt and of everything before the step
  readonly step: readonly TokenId[];
}

const sameQuestion = (a: Prompt, b: Prompt): boolean => a.dataset === b.dataset && a.seed === b.seed;

/** The solution of one question, cut into steps. The last one answers this question and no other: it is left out. */
async function stepsOf<State>(env: Environment<State>, prompt: Prompt): Promise<readonly StoredStep[]> {
  const steps: StoredStep[] = [];
  const history: TokenId[] = [...prompt.tokens];
  let state = env.start(prompt);
  for (const step of env.solve(prompt)) {
    const transition = await env.step(prompt, state, step);
    if (transition.kind === 'end') break;
    steps.push({ prompt, history: new Set(history), step });
    history.push(...step, ...transition.tokens);
    state = transition.state;
  }
  return steps;
}

export class StepBuffer {
  private readonly steps: readonly StoredStep[];

  private constructor(steps: readonly StoredStep[]) {
    this.steps = steps;
  }

  /** The steps of these questions' solutions that call a tool. */
  static async fill<State>(env: Environment<State>, prompts: readonly Prompt[]): Promise<StepBuffer> {
    const solved = await Promise.all(prompts.map((prompt) => stepsOf(env, prompt)));
    return new StepBuffer(solved.flat());
  }

  /**
   * The stored step with the history of the largest token overlap (Jaccard); the first one stored among equals.
   * A question's own solution is never given away.
   * @param history tokens of prompt and response
   * @returns null where there is no step of another question
   */
  nearest(history: readonly TokenId[], asking: Prompt): readonly TokenId[] | null {
    const tokens = new Set(history);
    let best: { readonly step: readonly TokenId[]; readonly likeness: number } | null = null;
    for (const { prompt, history: stored, step } of this.steps) {
      if (sameQuestion(prompt, asking)) continue;
      const likeness = overlap(stored, tokens);
      if (!best || likeness > best.likeness) best = { step, likeness };
    }
    return best?.step ?? null;
  }
}

interface Chain<State> extends Growing<State> {
  readonly hybrid: boolean;
}

/** What the choice to borrow rests on. */
interface Lender {
  readonly buffer: StepBuffer;
  readonly probability: number;
  readonly key: RandomKey;
}

/** The stored step that this path takes now; null where it samples its own turn. */
function borrowed<State>(
  path: Growing<State>,
  { buffer, probability, key }: Lender,
  { env }: Forest<State>,
): ReturnType<StepBuffer['nearest']> {
  const { tree, node } = path;
  const random = keyedRandom(key, STREAMS.expansion, tree.prompt.index, node.id);
  if (random.uniform() >= probability) return null;
  const step = buffer.nearest([...tree.prompt.tokens, ...responseTokens(tree, node.id)], tree.prompt);
  return step && step.length < roomLeft(path, env) ? step : null;
}

/** The path after a tool result: it goes on by itself, or after a stored step and what that called. */
async function openHybrid<State>(
  chain: Chain<State>,
  lender: Lender,
  forest: Forest<State>,
): Promise<readonly Chain<State>[]> {
  const asChains = (paths: readonly Growing<State>[]) => paths.map((path) => ({ ...path, hybrid: true }));
  const [next] = follow(chain, forest);
  if (!next) return [];
  const step = borrowed(next, lender, forest);
  if (!step) return asChains([next]);
  const { tree, node } = next;
  appendTokens(node, step, 0);
  node.retrieved = true;
  node.lastGenerationLength = step.length;
  node.unread = step.length;
  const outcome = settle(next, await stepOf(next, forest.env), forest);
  if (outcome !== 'going') return asChains(goOn(next, outcome, forest));
  tree.cut(node); // a notice: the policy's own turn must not stand in a retrieved node
  close(next, forest);
  return asChains(follow(next, forest));
}

async function growAll<State>(
  planted: readonly Chain<State>[],
  lender: Lender,
  forest: Forest<State>,
): Promise<void> {
  let active = planted;
  while (active.length > 0) {
    const opened: Chain<State>[] = [];
    const going = await playRound(active, forest, (chain, outcome) => {
      if (outcome === 'opened' && chain.hybrid) {
        opened.push(chain);
        return [];
      }
      return goOn(chain, outcome, forest).map((path) => ({ ...chain, ...path }));
    });
    const borrowing: Chain<State>[] = [];
    for (const chain of opened) borrowing.push(...(await openHybrid(chain, lender, forest)));
    active = [...going, ...borrowing];
  }
}

/** Chains in order; the last `hybridRows` may borrow. */
const isHybrid = (branch: number, { leavesPerTree, hybridRows }: RolloutConfig): boolean =>
  branch >= leavesPerTree - hybridRows;

const grow: GrowRollout = async (policy, env, prompts, config, key, observer = {}, extras = {}) => {
  checkSizes({ S: config.leavesPerTree });
  const forest = { policy, env, observer };
  const buffer = await StepBuffer.fill(env, extras.bufferPrompts ?? prompts);
  const trees = startTrees(prompts, forest);
  const planted = trees.flatMap((tree) =>
    range(config.leavesPerTree).map((branch) => ({
      tree,
      node: tree.plant(branch),
      hybrid: isHybrid(branch, config),
    })),
  );
  await growAll(planted, { buffer, probability: config.retrieveProbability, key }, forest);
  trees.forEach((tree) => chooseRows(tree, config.leavesPerTree, key, forest));
  return trees.map((tree) => tree.build());
};

export const hybridChains: RolloutRule = {
  title: 'Chains that borrow steps',
  description:
    'Independent paths; some of them take over a stored step of a scripted expert now and then, and go on from its result.',
  formula:
    'S paths, H of them hybrid: after each tool result, with probability p, the step of the most similar history',
  source: 'RAPO, arXiv:2603.03078 Sec. 4.1',
  confidence: 'medium',
  ranking: 'Nothing is chosen between turns; borrowed turns are marked.',
  settings: ['rollout.leavesPerTree', 'rollout.hybridRows', 'rollout.retrieveProbability'],
  grow,
};
