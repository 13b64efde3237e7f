/** What the engine set out to reach, beside what was measured. */
import { growthFits, sayExponent, TERMS, type GrowthReport } from './growth_report.ts';
import {
  packingGain,
  type BenchReport,
  type ContenderResult,
  type InstantReport,
  type PackingReport,
  type ProfileReport,
} from './report.ts';
import type { PowerFit } from './statistics.ts';

export type AnyReport = BenchReport | InstantReport | PackingReport | ProfileReport | GrowthReport;

export interface Target {
  readonly what: string;
  readonly wanted: string;
  readonly measured: string;
  readonly met: boolean;
}

const OURS = 'turnwise';
const STEP_SHARE = 0.6; // of our best product's rate
const INSTANT_SECONDS = 90;
const PACKING_SHARE = 0.8; // of the sharing
const MOST_ERROR = 0.1; // of an exponent

export const isSoftware = (adapter: string): boolean =>
  /swiftshader|llvmpipe|lavapipe|basic render/i.test(adapter);

type Wanted = readonly [peer: string, times: number];
interface PeerTargets {
  readonly train: readonly Wanted[];
  readonly decode: readonly Wanted[];
  readonly matmul: readonly Wanted[];
}

const SOFTWARE_TARGETS: PeerTargets = {
  train: [['jaxjs', 2], ['tfjs-webgpu', 10]], // prettier-ignore
  decode: [['jaxjs', 10], ['tfjs-webgpu', 30]], // prettier-ignore
  matmul: [['jaxjs', 2]],
};

const HARDWARE_TARGETS: PeerTargets = { train: [['jaxjs', 5]], decode: [['jaxjs', 5]], matmul: [] };

const PEERS: Readonly<Record<string, string>> = {
  jaxjs: 'jax-js WebGPU',
  'tfjs-webgpu': 'TensorFlow.js WebGPU',
};

/** A ratio against a peer; null where either has no number. */
function ratioTarget(what: string, [peer, times]: Wanted, ratio: number | undefined): Target | null {
  if (ratio === undefined || !Number.isFinite(ratio)) return null;
  const wanted = `≥ ${times}× ${PEERS[peer]}`;
  return { what, wanted, measured: `${ratio.toFixed(2)}×`, met: ratio >= times };
}

const over = (a: number | undefined, b: number | undefined): number | undefined =>
  a === undefined || b === undefined ? undefined : a / b;

function presetTargets(report: BenchReport): readonly (Target | null)[] {
  const { preset, results, adapter } = report;
  const ours = results[OURS];
  if (!ours) return [];
  const wanted = isSoftware(adapter) ? SOFTWARE_TARGETS : HARDWARE_TARGETS;
  const of = (peer: string): Partial<ContenderResult> => results[peer] ?? {};
  return [
    ...wanted.train.map((pair) =>
      ratioTarget(`${preset}: training step`, pair, over(of(pair[0]).trainStepMs, ours.trainStepMs)),
    ),
    ...wanted.decode.map((pair) =>
      ratioTarget(
        `${preset}: decode`,
        pair,
        over(ours.decodeTokensPerSecond, of(pair[0]).decodeTokensPerSecond),
      ),
    ),
    rateTarget(report),
  ];
}

function rateTarget({ preset, results }: BenchReport): Target | null {
  const { trainGflops, matmulGflops = {} } = results[OURS];
  const best = Math.max(...Object.values(matmulGflops));
  if (trainGflops === undefined || !Number.isFinite(best)) return null;
  const share = trainGflops / best;
  return {
    what: `${preset}: arithmetic rate of a training step`,
    wanted: `≥ ${100 * STEP_SHARE} % of our best product's`,
    measured: `${(100 * share).toFixed(0)} % (${trainGflops.toFixed(2)} of ${best.toFixed(2)} GFLOP/s)`,
    met: share >= STEP_SHARE,
  };
}

function matmulTargets({ results, adapter }: BenchReport): readonly (Target | null)[] {
  const { matmul } = isSoftware(adapter) ? SOFTWARE_TARGETS : HARDWARE_TARGETS;
  const ours = results[OURS]?.matmulGflops ?? {};
  return Object.entries(ours).flatMap(([name, rate]) =>
    matmul.map((pair) =>
      ratioTarget(`product ${name}`, pair, over(rate, results[pair[0]]?.matmulGflops?.[name])),
    ),
  );
}

const instantTarget = ({ seconds, updates }: InstantReport): Target => ({
  what: `a whole instant run, ${updates} updates, with evaluation`,
  wanted: `< ${INSTANT_SECONDS} s`,
  measured: `${seconds.toFixed(0)} s`,
  met: seconds < INSTANT_SECONDS,
});

function packingTarget(report: PackingReport): Target {
  const { sharing, timeRatio } = packingGain(report);
  return {
    what: `packing the instant preset's trees, shared ${sharing.toFixed(2)}-fold`,
    wanted: `≥ ${PACKING_SHARE} of the sharing`,
    measured: `${timeRatio.toFixed(2)}× faster, ${(timeRatio / sharing).toFixed(2)} of it`,
    met: timeRatio >= PACKING_SHARE * sharing,
  };
}

/** An exponent of at most 1 within two standard errors; a fit looser than MOST_ERROR says nothing. */
const growsNoFaster = ({ exponent, error }: PowerFit): boolean =>
  exponent - 2 * error <= 1 && error < MOST_ERROR;

/** Term by term: a sum of terms with different rates may grow faster than its arithmetic though no term does. */
const growthTargets = (report: GrowthReport): readonly Target[] =>
  growthFits(report).flatMap(({ axis, terms }) => {
    const fitted = TERMS.flatMap((term) => (terms[term] ? [{ term, fit: terms[term] }] : []));
    if (fitted.length === 0) return [];
    return [
      {
        what: `update time against ${axis}`,
        wanted: 'no term grows faster than its arithmetic: exponents ≤ 1',
        measured: fitted.map(({ term, fit }) => `${term} ${sayExponent(fit)}`).join(', '),
        met: fitted.every(({ fit }) => growsNoFaster(fit)),
      },
    ];
  });

/**
 * Every target that these results can answer; products once, from the first report that has them.
 * @param reports of one adapter
 */
export function targets(reports: readonly AnyReport[]): readonly Target[] {
  const presets = reports.filter((report): report is BenchReport => 'results' in report);
  const withProducts = presets.find(({ results }) => results[OURS]?.matmulGflops);
  const own = reports.flatMap((report) => {
    if (!('suite' in report) || report.suite === 'profile') return [];
    if (report.suite === 'instant') return isSoftware(report.adapter) ? [instantTarget(report)] : [];
    return report.suite === 'packing' ? [packingTarget(report)] : growthTargets(report);
  });
  const all = [
    ...presets.flatMap(presetTargets),
    ...(withProducts ? matmulTargets(withProducts) : []),
    ...own,
  ];
  return all.filter((target) => target !== null);
}
