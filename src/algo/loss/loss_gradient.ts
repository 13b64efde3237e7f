/**
 * Finite differences of a loss by the log-ratio of one token, against the gradient that the loss states. The loss is a
 * function given from outside: the float64 formula, or a kernel on a device in float32.
 *
 * Only a token's own factor of its ratio carries gradient (loss_terms.ts), so each token is moved alone: it gets a
 * log-ratio of its own. All are moved at once, up or down as `direction` says; a loss that lets a token depend on
 * another's ratio therefore disagrees, and is found out.
 */

/** A loss at some log-ratios, one per token. */
export interface LossPoint {
  readonly tokenLoss: ArrayLike<number>; // [S] before weighting
  readonly dlogProb: ArrayLike<number>; // [S] weighted
}

/** How finely the loss is computed, and the steps that suit it. */
export interface GradientPrecision {
  readonly unit: number; // relative size of the last bit
  readonly round: (value: number) => number;
  readonly steps: readonly number[]; // nats, largest first
}

/**
 * The largest step is near (3·unit)^⅓, where rounding and curvature cost alike; the smaller ones are for tokens that
 * stand closer than that to an edge of the loss. The last still tells a slope of 1 from one of 0.
 */
export const FLOAT32: GradientPrecision = {
  unit: 2 ** -23,
  round: Math.fround,
  steps: [2 ** -7, 2 ** -11, 2 ** -14],
};
export const FLOAT64: GradientPrecision = {
  unit: 2 ** -52,
  round: (value) => value,
  steps: [2 ** -14, 2 ** -18, 2 ** -22],
};

export const TOKEN_VERDICTS = ['agrees', 'differs', 'not-finite', 'edge', 'jump', 'by-rule'] as const;
/**
 * agrees, differs: within or beyond what rounding and curvature allow; not-finite: so is the loss or its gradient.
 * Left out, since the loss has no derivative there: edge, its slope changes within the smallest step; jump, its value
 * does. by-rule: the method's gradient is not the derivative of its loss there.
 */
export type TokenVerdict = (typeof TOKEN_VERDICTS)[number];

export interface TokenGradient {
  readonly verdict: TokenVerdict;
  readonly numeric: number; // weighted, from the smallest step that was tried
  readonly stated: number; // dlogProb
  readonly allowed: number; // of their difference
  readonly step: number; // nats
}

export interface GradientTokens {
  readonly logRatio: ArrayLike<number>; // [S] nats
  readonly weight: ArrayLike<number>; // [S]
  readonly isByRule: (s: number) => boolean;
}

const BEND = 0.02; // two one-sided slopes may differ by this share on a smooth stretch
const SLACK = 1e-3; // of the slope, on top of curvature and rounding

/** Up or down, by the token's index: neighbours differ without a pattern. */
const direction = (s: number): number => ((Math.imul(s + 1, 0x9e3779b1) >>> 13) & 1 ? 1 : -1);

/** A loss round one token: its values and how far they stand apart. */
interface Slopes {
  readonly forward: number;
  readonly backward: number;
  readonly central: number;
  readonly noise: number; // of each slope
  readonly rise: number; // larger of the two differences of the loss
}

function slopesOf(
  values: readonly [number, number, number],
  at: readonly [number, number, number],
  unit: number,
): Slopes {
  const [below, here, above] = values;
  const [left, middle, right] = at;
  // e^x in WGSL is granted 3 + 2|x| last bits, the products round it two more.
  const error = (5 + 2 * Math.abs(middle)) * unit * Math.max(...values.map(Math.abs));
  const forward = (above - here) / (right - middle);
  const backward = (here - below) / (middle - left);
  return {
    forward,
    backward,
    central: (above - below) / (right - left),
    noise: (2 * error) / Math.min(right - middle, middle - left),
    rise: Math.max(Math.abs(above - here), Math.abs(here - below)),
  };
}

const isSmooth = ({ forward, backward, noise }: Slopes): boolean =>
  Math.abs(forward - backward) <= BEND * Math.max(Math.abs(forward), Math.abs(backward)) + 2 * noise;

type Judgement = Pick<TokenGradient, 'verdict' | 'allowed'>;

/** One step's word on a smooth stretch. */
function compare({ forward, backward, central, noise }: Slopes, stated: number, weight: number): Judgement {
  const bend = Math.abs(forward - backward) / 2;
  const allowed = Math.abs(weight) * (bend + noise + SLACK * Math.abs(central));
  return { verdict: Math.abs(weight * central - stated) <= allowed ? 'agrees' : 'differs', allowed };
}

/**
 * What the slopes of the steps tried so far, largest first, say of a token; null where a smaller step may tell. Two
 * steps must find a difference: within one, an edge near its end and the curvature may hide each other's bend.
 */
function judge(slopes: readonly Slopes[], stated: number, weight: number, isLast: boolean): Judgement | null {
  const last = slopes[slopes.length - 1];
  const before = slopes[slopes.length - 2];
  if (!Number.isFinite(last.forward + last.backward + stated)) return { verdict: 'not-finite', allowed: 0 };
  if (isSmooth(last)) {
    const judged = compare(last, stated, weight);
    const isSure =
      judged.verdict === 'agrees' ||
      isLast ||
      (before && isSmooth(before) && compare(before, stated, weight).verdict === 'differs');
    return isSure ? judged : null;
  }
  if (!isLast) return null;
  // Over a shorter step an edge rises less, a jump just as much.
  return { verdict: last.rise > slopes[0].rise / 4 ? 'jump' : 'edge', allowed: 0 };
}

/** @param evaluate the loss at other log-ratios, [S]; called once per side of a step, and once where they stand */
export async function checkGradient(
  { logRatio, weight, isByRule }: GradientTokens,
  evaluate: (logRatio: Float64Array) => LossPoint | Promise<LossPoint>,
  { unit, round, steps }: GradientPrecision,
): Promise<readonly TokenGradient[]> {
  const middle = Float64Array.from(logRatio, round);
  const here = await evaluate(middle);
  const found: (TokenGradient | null)[] = Array.from(middle, () => null);
  const slopes: Slopes[][] = Array.from(middle, () => []);
  for (const step of steps) {
    if (!found.includes(null)) break;
    const up = middle.map((ratio, s) => round(ratio + direction(s) * step));
    const down = middle.map((ratio, s) => round(ratio - direction(s) * step));
    const [first, second] = [(await evaluate(up)).tokenLoss, (await evaluate(down)).tokenLoss];
    middle.forEach((ratio, s) => {
      if (found[s]) return;
      const isUp = direction(s) > 0;
      const [high, low] = isUp ? [first[s], second[s]] : [second[s], first[s]];
      const [right, left] = isUp ? [up[s], down[s]] : [down[s], up[s]];
      const own = slopesOf([low, here.tokenLoss[s], high], [left, ratio, right], unit);
      slopes[s].push(own);
      const stated = here.dlogProb[s];
      const judged = judge(slopes[s], stated, weight[s], step === steps[steps.length - 1]);
      if (!judged) return;
      const verdict = judged.verdict === 'differs' && isByRule(s) ? 'by-rule' : judged.verdict;
      found[s] = { ...judged, verdict, numeric: weight[s] * own.central, stated, step };
    });
  }
  return found.filter((token) => token !== null); // the last step judges every token
}
