/**
 * The run: rollout → filter → reward → signals → value → advantage → loss → step, top to bottom; each is a file of
 * stages/. Everything that happens is posted as an event; every random number is keyed by the seed and the update, so
 * the same seed gives the same events.
 */
import { afterValidation } from '../../algo/reward/boundary.ts';
import { backUpValues, normaliseLeaves, turnAdvantages } from '../../algo/credit/credit.ts';
import type { TreeSignals } from '../../units.ts';
import { evaluate } from './evaluate.ts';
import type { CheckedStep, TreeRewards } from '../../protocol/protocol.ts';
import { lossBatches, type CreditedGroup, type LossBatch } from './batches.ts';
import { backpropagate, scoreBatches, type BatchScores } from './loss.ts';
import { firstPrompts, rollOut, type Rollout } from './rollout.ts';
import { measureSignals } from './signals.ts';
import { takeStep } from './step.ts';
import { emptyMemory, gateRounds, phase, type Run, type RunMemory, type Update } from './update.ts';
import { meanEntropy, rolloutMetrics, stepMetrics, type TrainedBatch } from './update_metrics.ts';

export type { Run } from './update.ts';

/**
 * Trains to the end of the configuration, evaluating before, between and after.
 * @throws RunStopped when the transport stops it, NonFiniteLossError, and whatever policy and environment throw
 */
export async function train(run: Run): Promise<void> {
  const { config, transport } = run;
  const { every } = config.evaluation;
  const memory = emptyMemory();
  await transport.gate();
  await evaluateAll(run, 0, memory);
  for (let update = 1; update <= config.updates; update += 1) {
    await profiledUpdate({ run, update, key: { seed: config.seed, update }, memory });
    const due = every > 0 && update % every === 0;
    if (due || update === config.updates) await evaluateAll(run, update, memory);
    transport.endUpdate();
  }
  transport.finish();
}

/** One update, and its profile if that was asked for before it began. */
async function profiledUpdate(at: Update): Promise<void> {
  const { run, update } = at;
  await run.transport.gate();
  const profiler = run.startProfile?.() ?? null;
  if (!profiler) return trainUpdate(at);
  const startMs = run.now();
  try {
    await trainUpdate(at);
  } catch (error) {
    profiler.cancel();
    throw error;
  }
  run.post({ kind: 'profile', update, ...(await profiler.finish(run.now() - startMs)) });
}

async function trainUpdate(at: Update): Promise<void> {
  const { run, update } = at;
  const { post, now } = run;
  const { credit, loss } = run.config.algorithm;
  await run.transport.beginUpdate(update);
  const prompts = firstPrompts(at);
  post({ kind: 'update-started', update, prompts });
  const startMs = now();

  const rollout = await phase(at, 'rollout', () => rollOut(at, prompts));
  const rolloutMs = now() - startMs;

  const scored = await phase(at, 'reward', async () => {
    const signals = await measureSignals(at, rollout.kept);
    const kept = rollout.kept.map((group, g) => ({ ...group, signals: signals[g] }));
    postRewards(at, rollout, signals);
    return kept;
  });

  const valued = await phase(at, 'value', () =>
    scored.map((group) => {
      const normalised = normaliseLeaves(group.tree, group.rewards, credit.leafNormalisation);
      return { ...group, normalised, values: backUpValues(group.tree, normalised.byNode, credit.valueRule) };
    }),
  );

  const credited = await phase(at, 'advantage', () => {
    const trees = valued.map((group) => ({ ...group, values: group.values.byNode }));
    const advantages = turnAdvantages(trees, credit);
    const groups = valued.map((group, g) => ({ ...group, advantages: advantages[g] }));
    postCredit(at, groups);
    return groups;
  });

  const trained = await trainBatches(at, lossBatches(at, credited));

  post({
    kind: 'metrics',
    update,
    metrics: {
      ...rolloutMetrics(rollout),
      ...stepMetrics(trained, loss),
      entropy: meanEntropy(trained.map(({ oldScores }) => oldScores)),
      rolloutMs,
      trainMs: now() - startMs - rolloutMs,
    },
  });
}

/** Loss and step of each mini-batch in turn. */
async function trainBatches(at: Update, batches: readonly LossBatch[]): Promise<readonly TrainedBatch[]> {
  const { run, update } = at;
  const trained: TrainedBatch[] = [];
  const checked: CheckedStep[] | null = run.takeStepCheck?.(update) ? [] : null;
  let scores: BatchScores | null = null;
  for (const [minibatch, batch] of batches.entries()) {
    const entry = await phase(at, 'loss', async () => {
      scores ??= await scoreBatches(at, batches);
      return backpropagate(at, minibatch, batch, scores);
    });
    const step = await phase(at, 'step', () => takeStep(at, entry, checked));
    trained.push({ ...entry, step });
  }
  if (checked) run.post({ kind: 'step-check', update, steps: checked });
  return trained;
}

/** Rewards of all groups, with the signals of those that are trained on; then which groups are not. */
function postRewards(
  { run, update }: Update,
  { groups, kept, batches }: Rollout,
  signals: readonly TreeSignals[],
): void {
  const trees = groups.map((group): TreeRewards => {
    const own = signals[kept.indexOf(group)] as TreeSignals | undefined;
    const measured = own && Object.values(own).some((signal) => signal !== null);
    const { tree, rewards } = group;
    return { prompt: tree.prompt.index, byNode: rewards, ...(measured ? { signals: own } : {}) };
  });
  run.post({ kind: 'rewards', update, trees });
  const dropped = groups.filter((group) => !kept.includes(group)).map(({ tree }) => tree.prompt.index);
  if (dropped.length > 0) run.post({ kind: 'groups-dropped', update, batches, prompts: dropped });
}

function postCredit({ run, update }: Update, groups: readonly CreditedGroup[]): void {
  const { valueRule, advantageRule } = run.config.algorithm.credit;
  const trees = groups.map(({ tree, normalised, values, advantages }) => ({
    prompt: tree.prompt.index,
    valueRule,
    advantageRule,
    normalised: normalised.byNode,
    values: values.byNode,
    advantages: advantages.byNode,
  }));
  run.post({ kind: 'credit', update, trees });
}

/** Each held-out data set, once sampled as in training and once greedily; the greedy scores are the validation. */
async function evaluateAll(run: Run, update: number, memory: RunMemory): Promise<void> {
  const { config, environment, policy, post } = run;
  const { questions, datasets } = config.evaluation;
  if (questions === 0) return;
  let validation = 0;
  for (const dataset of datasets) {
    for (const greedy of [false, true]) {
      const temperature = greedy ? 0 : config.temperature;
      const request = { policy, environment, dataset, questions, seed: config.seed, temperature };
      const scores = await evaluate({ ...request, observer: gateRounds(run) });
      post({ kind: 'evaluation', update, dataset, questions, greedy, ...scores });
      if (greedy) validation += scores.exactMatch / datasets.length;
    }
  }
  memory.boundary = afterValidation(memory.boundary, validation);
}
