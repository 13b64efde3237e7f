/** What a loss's gradient asks of the alternatives to one token. Host arithmetic in float64. */
import type { TokenId, TrainablePolicy } from '../../units.ts';
import type { TokenAlternative, TokenPush, TokenQuestion } from '../../protocol/inspection.ts';

const SHOWN = 8; // alternatives

/** The answer to a question, at the policy's present parameters. */
export async function tokenPush(
  policy: TrainablePolicy,
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
