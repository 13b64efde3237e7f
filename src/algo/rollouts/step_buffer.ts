/**
 * Steps of an expert, each stored under the history it was taken in; asked for the step whose history is most like
 * another. The expert is the environment's scripted solution.
 * @see RAPO, arXiv:2603.03078 Sec. 4.1; algorithms' spec, related 5
 */
import type { Environment, Prompt, TokenId } from '../../units.ts';
import { overlap } from './overlap.ts';

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
