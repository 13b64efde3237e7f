/** What a loss's gradient asks of the alternatives to one token. Host arithmetic in float64. */
import * as v from 'valibot';
import type { TokenId, PolicyReader } from '../../units.ts';
import type { TokenAlternative, TokenPush, TokenQuestion } from '../../protocol/inspection.ts';
import { real, wanted, whole } from '../../protocol/schema.ts';
import { environmentNamed, parseRunConfig } from '../config/config.ts';
import { checked, fieldOf, placeIn, withPolicy, type QuestionKind } from './question.ts';

const SHOWN = 8; // alternatives

/** The answer to a question, at the policy's present parameters. */
export async function tokenPush(
  policy: PolicyReader,
  { config, tokens, update, prompt, leaf, readers, dlogProb, dentropy }: TokenQuestion,
): Promise<Omit<TokenPush, 'parameters' | 'ms'>> {
  const position = tokens.length - 1;
  const logits = await policy.nextLogits(tokens.slice(0, position));
  const { temperature } = config;
  const push = pushOnLogits(logits, { chosen: tokens[position], temperature, dlogProb, dentropy });
  return { update, prompt, leaf, position, readers, ...push };
}

interface Pushed {
  readonly chosen: TokenId;
  readonly temperature: number;
  readonly dlogProb: number; // ∂loss/∂logProb of the chosen token
  readonly dentropy: number; // ∂loss/∂entropy
}

/**
 * ∂loss/∂logit_k = (d·(1[k = chosen] − p_k) + h·p_k·(−ln p_k − H)) / T, with p = softmax(logits / T), H its entropy,
 * d = ∂loss/∂logProb and h = ∂loss/∂entropy. Over the vocabulary it sums to 0.
 * @param logits [V] before temperature
 * @see shaders/token_stats/token_stats_backward.wgsl, the same on the device
 */
export function pushOnLogits(
  logits: Float32Array,
  { chosen, temperature, dlogProb, dentropy }: Pushed,
): Pick<TokenPush, 'chosen' | 'rank' | 'top' | 'others' | 'entropy'> {
  const scaled = Float64Array.from(logits, (logit) => logit / temperature);
  const highest = scaled.reduce((a, b) => Math.max(a, b), -Infinity);
  const logSum = highest + Math.log(scaled.reduce((sum, x) => sum + Math.exp(x - highest), 0));
  const logProbs = scaled.map((x) => x - logSum);
  const entropy = -logProbs.reduce((sum, logProb) => sum + Math.exp(logProb) * logProb, 0);
  const all = Array.from(logProbs, (logProb, index): TokenAlternative => {
    const token = index as TokenId; // place in the logits
    const p = Math.exp(logProb);
    const along = dlogProb * (Number(token === chosen) - p) + dentropy * p * (-logProb - entropy);
    return { token, logProb, dlogit: along / temperature };
  });
  const ranked = all.toSorted((a, b) => b.logProb - a.logProb);
  const top = ranked.slice(0, SHOWN);
  const rest = ranked.slice(SHOWN).filter(({ token }) => token !== chosen);
  return {
    chosen: all[chosen],
    rank: ranked.findIndex(({ token }) => token === chosen) + 1,
    top,
    others: {
      count: rest.length,
      probability: rest.reduce((sum, { logProb }) => sum + Math.exp(logProb), 0),
      dlogit: rest.reduce((sum, { dlogit }) => sum + dlogit, 0),
    },
    entropy,
  };
}

const MOST = 1_000_000_000;
const number = real(-1e30, 1e30);

const tokenSchema = (vocabulary: number) =>
  v.object({
    update: whole(1, 1_000_000),
    prompt: whole(0, MOST),
    leaf: whole(0, MOST),
    tokens: v.pipe(
      v.array(whole(0, vocabulary - 1)),
      wanted((tokens) => tokens.length >= 2, 'at least one token before the one asked about'),
    ),
    dlogProb: number,
    dentropy: number,
    readers: whole(1, MOST),
  });

export const inspectToken: QuestionKind<TokenQuestion, TokenPush> = {
  parse(value) {
    const config = parseRunConfig(fieldOf(value, 'config'));
    const { length } = environmentNamed(config.environment).vocabulary;
    const fields = checked(tokenSchema(length), value, {
      what: 'A token cannot be looked at like this',
      next: 'Choose a token that the policy wrote, in an update whose loss is there.',
    });
    return { config, ...fields, ...placeIn(value) } as unknown as TokenQuestion; // checked above; brands exist only in types
  },
  answer(question, lender, signal) {
    const startMs = performance.now();
    return withPolicy(lender, question, signal, async ({ policy, parameters }) => {
      const push = await tokenPush(policy, question);
      return { ...push, parameters, ms: performance.now() - startMs };
    });
  },
};
