/** What a person sees of a preset, and when, as it was measured: from results that `npm run lab` wrote. `npm run results` condenses them. */
import type { RunConfig } from '../../units.ts';
import claims from './preset_claims.json' with { type: 'json' };

/** What a claim needs of a result of `npm run lab`. */
export interface MeasuredRun {
  readonly config: RunConfig;
  readonly adapter: { readonly vendor: string; readonly architecture: string; readonly software: boolean };
  readonly date: string; // ISO 8601
  readonly heldOut: {
    readonly questions: number; // per data set
    readonly before: { readonly exactMatch: number };
    readonly after: { readonly exactMatch: number };
  };
  readonly updates: readonly { readonly rolloutMs: number; readonly trainMs: number }[];
}

type Range = readonly [least: number, most: number];

/** Over the seeds: sampled exact match on held-out questions, and seconds of rollout and training without evaluation. */
export interface PresetClaim {
  readonly seeds: readonly number[];
  readonly updates: number;
  readonly questions: number; // per data set
  readonly before: Range; // 0 to 1
  readonly after: Range;
  readonly seconds: Range; // of all updates
  readonly adapter: string;
  readonly date: string; // of the last run
}

export type PresetClaims = Readonly<Record<string, PresetClaim>>;

const rangeOf = (values: readonly number[], digits: number): Range => [
  Number(Math.min(...values).toFixed(digits)),
  Number(Math.max(...values).toFixed(digits)),
];

const secondsOf = ({ updates }: MeasuredRun): number =>
  updates.reduce((sum, { rolloutMs, trainMs }) => sum + rolloutMs + trainMs, 0) / 1000;

/**
 * One claim per preset, over its seeds.
 * @param runs of presets with their own methods and as many updates as they have; others are left out
 * @param presets by name
 */
export function condenseClaims(
  runs: readonly MeasuredRun[],
  presets: ReadonlyMap<string, { readonly config: RunConfig }>,
): PresetClaims {
  const claim = (own: readonly MeasuredRun[]): PresetClaim => {
    const [{ adapter, config, heldOut }] = own;
    const name = [adapter.vendor, adapter.architecture].filter(Boolean).join(' ');
    return {
      seeds: own.map((run) => run.config.seed).sort((a, b) => a - b),
      updates: config.updates,
      questions: heldOut.questions,
      before: rangeOf(own.map((run) => run.heldOut.before.exactMatch), 3), // prettier-ignore
      after: rangeOf(own.map((run) => run.heldOut.after.exactMatch), 3), // prettier-ignore
      seconds: rangeOf(own.map(secondsOf), 0),
      adapter: adapter.software ? `a processor (${name})` : name,
      date: own.map(({ date }) => date.slice(0, 10)).sort().at(-1) ?? '', // prettier-ignore
    };
  };
  const isOwn = ({ config }: MeasuredRun, name: string, preset: RunConfig): boolean =>
    config.preset === name &&
    config.algorithm.name === preset.algorithm.name &&
    config.updates === preset.updates;
  return Object.fromEntries(
    [...presets].flatMap(([name, { config }]) => {
      const own = runs.filter((run) => isOwn(run, name, config));
      return own.length === 0 ? [] : [[name, claim(own)]];
    }),
  );
}

const sayRange = ([least, most]: Range, say: (value: number) => string): string =>
  say(least) === say(most) ? say(least) : `${say(least)} to ${say(most)}`;
const percent = (share: number): string => `${Math.round(100 * share)} %`;
const whole = (value: number): string => String(Math.round(value));

/** @returns the sentence; '' where the preset was not measured */
export function sayClaim(name: string, of: PresetClaims = claims as unknown as PresetClaims): string {
  const claim = Object.hasOwn(of, name) ? of[name] : undefined;
  if (!claim) return '';
  const { before, after, updates, seconds, adapter, seeds, date } = claim;
  return `Measured: held-out questions right ${sayRange(before, percent)} before, ${sayRange(after, percent)} after ${updates} updates, ${sayRange(seconds, whole)} s of training on ${adapter}, seed ${seeds.join(', ')}, ${date}.`;
}
