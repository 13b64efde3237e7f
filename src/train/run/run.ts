/**
 * The run: rollout → reward → value → advantage → loss → step, top to bottom; each phase is the file of its name. Everything
 * that happens is posted as an event; every random number is keyed by the seed and the update, so the same seed gives the same events.
 */
import { afterValidation } from '../../algo/reward/boundary.ts';
import { gradeHeldOut, rightAnswers, scoresOf } from './evaluate.ts';
import type { CheckedStep } from '../../protocol/protocol.ts';
import { assignAdvantages, postCredit, backUp } from './credit.ts';
import { lossBatches, type LossBatch, type MeasuredGroup } from './batches.ts';
import { backpropagate, scoreBatches, type BatchScores } from './loss.ts';
import { memoryChange, START, type RunMemory, type Settled, type Standing } from './memory.ts';
import { chooseGroups, postRewards, scoreBatch, type Rewarded } from './reward.ts';
import { promptsOf, rollOut } from './rollout.ts';
import { measureSignals } from './signals.ts';
import { takeStep } from './step.ts';
import { gateRounds, phase, type Group, type Run, type Update } from './update.ts';
import { meanEntropy, rolloutMetrics, stepMetrics, type TrainedBatch } from './update_metrics.ts';

export type { Run } from './update.ts';

/**
 * Trains to the end of the configuration, evaluating before, between and after. Every run goes on from where it stands: a
 * fresh one from the start, another from a checkpoint whose networks were restored (checkpoint.ts).
 * @throws RunStopped when the transport stops it, NonFiniteLossError, and whatever policy and environment throw
 */
export async function train(run: Run, from: Standing = START): Promise<void> {
  const { config, transport } = run;
  await transport.gate();
  for (let standing = from; standing.update !== config.updates;) {
    const settled = await goOn(run, standing);
    run.onSettled?.(settled);
    if (settled.update > 0) transport.endUpdate();
    standing = settled;
  }
  transport.finish();
}

/** The next update and the evaluations that are due after it; from the start, those before the first. */
async function goOn(run: Run, from: Standing): Promise<Settled> {
  const { seed, updates, evaluation } = run.config;
  const update = from.update === null ? 0 : from.update + 1;
  let { memory } = from;
  if (update > 0) memory = await profiledUpdate({ run, update, key: { seed, update }, memory });
  const due = evaluation.every > 0 && update % evaluation.every === 0;
  if (due || update === 0 || update === updates) memory = await evaluateAll(run, update, memory);
  const change = memoryChange(from.memory, memory);
  if (change) run.post({ kind: 'remembered', update, ...change });
  return { update, memory };
}

/** One update, and its profile if that was asked for before it began. */
async function profiledUpdate(at: Update): Promise<RunMemory> {
  const { run, update } = at;
  await run.transport.gate();
  const profiling = run.startProfile?.(update) ?? null;
  if (!profiling) return trainUpdate(at);
  const { profiler, tell } = profiling;
  const startMs = run.now();
  const memory = await trainUpdate(at).catch((error: unknown) => {
    profiler.cancel();
    throw error;
  });
  tell({ update, ...(await profiler.finish(run.now() - startMs)) });
  return memory;
}

/** @returns what the run remembers after it */
async function trainUpdate(at: Update): Promise<RunMemory> {
  const { run, update } = at;
  const { post, now } = run;
  const { credit, loss } = run.config.algorithm;
  await run.transport.beginUpdate(update);
  post({ kind: 'update-started', update, prompts: promptsOf(at, 0) });
  const startMs = now();

  const rewarded = await rollOutAndReward(at);
  const valued = await phase(at, 'value', () => backUp(rewarded.measured, credit));
  const credited = await phase(at, 'advantage', () => {
    const groups = assignAdvantages(valued, credit);
    postCredit(at, groups);
    return groups;
  });
  const trained = await trainBatches(at, lossBatches(credited, run.environment, run.config, at.key));

  post({
    kind: 'metrics',
    update,
    metrics: {
      ...rolloutMetrics(rewarded),
      ...stepMetrics(trained, loss),
      entropy: meanEntropy(trained.map(({ oldScores }) => oldScores)),
      rolloutMs: rewarded.rolledOutMs - startMs,
      trainMs: now() - rewarded.rolledOutMs,
    },
  });
  return rewarded.memory;
}

interface Measured extends Rewarded {
  readonly measured: readonly MeasuredGroup[]; // those that are trained on
  readonly memory: RunMemory; // after it
  readonly rolledOutMs: number; // when the last rollout ended
}

/** Rollout and reward in turn, until the filter has the groups it wants; then what credit reads beside their rewards. */
async function rollOutAndReward(at: Update): Promise<Measured> {
  const { environment, config } = at.run;
  const { algorithm, promptsPerUpdate } = config;
  let groups: readonly Group[] = [];
  for (let batch = 0; ; batch += 1) {
    const trees = await phase(at, 'rollout', () => rollOut(at, batch));
    const rolledOutMs = at.run.now();
    const measured = await phase(at, 'reward', async () => {
      groups = [...groups, ...scoreBatch(trees, environment, algorithm, at.memory.boundary)];
      const chosen = chooseGroups(groups, batch + 1, algorithm.filter, promptsPerUpdate);
      if (!chosen) return null;
      const { signals, memory } = await measureSignals(at, chosen.kept);
      postRewards(at, chosen, signals);
      const trained = chosen.kept.map((group, g) => ({ ...group, signals: signals[g] }));
      return { ...chosen, measured: trained, memory };
    });
    if (measured) return { ...measured, rolledOutMs };
  }
}

/** Loss and step of each mini-batch in turn. */
async function trainBatches(at: Update, batches: readonly LossBatch[]): Promise<readonly TrainedBatch[]> {
  const { run, update } = at;
  const trained: TrainedBatch[] = [];
  const tell = run.takeStepCheck?.(update) ?? null;
  const checked: CheckedStep[] | null = tell ? [] : null;
  let scores: BatchScores | null = null;
  for (const [minibatch, batch] of batches.entries()) {
    const entry = await phase(at, 'loss', async () => {
      scores ??= await scoreBatches(at, batches);
      return backpropagate(at, minibatch, batch, scores);
    });
    const step = await phase(at, 'step', () => takeStep(at, entry, checked));
    trained.push({ ...entry, step });
  }
  if (checked) tell?.({ update, steps: checked });
  return trained;
}

/** Each held-out data set, once sampled as in training and once greedily; the greedy scores are the validation. */
async function evaluateAll(run: Run, update: number, memory: RunMemory): Promise<RunMemory> {
  const { config, environment, policy, post } = run;
  const { questions, datasets } = config.evaluation;
  if (questions === 0) return memory;
  let validation = 0;
  for (const dataset of datasets) {
    for (const greedy of [false, true]) {
      const temperature = greedy ? 0 : config.temperature;
      const request = { policy, environment, dataset, questions, seed: config.seed, temperature };
      const grades = await gradeHeldOut({ ...request, observer: gateRounds(run) });
      const scores = scoresOf(grades);
      post({ kind: 'evaluation', update, dataset, questions, greedy, ...scores });
      run.tellAnswers?.({ kind: 'answers', update, dataset, greedy, right: rightAnswers(grades) });
      if (greedy) validation += scores.exactMatch / datasets.length;
    }
  }
  if (config.algorithm.reward.rule !== 'boundary') return memory;
  return { ...memory, boundary: afterValidation(memory.boundary, validation) };
}
