/**
 * The run: rollout → reward → value → advantage → loss → step, top to bottom. Everything that happens is posted as an
 * event; every random number is keyed by the seed and the update, so the same seed gives the same events.
 */
import { minibatches, packTrees } from '../algo/batch.ts';
import { backUpValues, normaliseLeaves, turnAdvantages } from '../algo/credit.ts';
import { scoreLeaves } from '../algo/reward.ts';
import { growTrees, type RolloutObserver } from '../algo/rollout.ts';
import type {
  Environment,
  LossResult,
  RandomKey,
  RunConfig,
  TokenBatch,
  TokenScores,
  TrainablePolicy,
} from '../units.ts';
import { NonFiniteLossError } from './errors.ts';
import { evaluate } from './evaluate.ts';
import { lossRows } from './loss_rows.ts';
import type { UpdateProfiler } from './profile.ts';
import type { Phase, RunEvent } from './protocol.ts';
import { trainingPrompts } from './questions.ts';
import type { Transport } from './transport.ts';
import { meanEntropy, stepMetrics, treeMetrics, type TrainedBatch } from './update_metrics.ts';

export interface Run {
  readonly config: RunConfig;
  readonly environment: Environment;
  readonly policy: TrainablePolicy;
  /** The policy before training, for the KL term; null where klCoefficient is 0. */
  readonly reference: TrainablePolicy | null;
  readonly transport: Transport;
  readonly post: (event: RunEvent) => void;
  readonly now: () => number; // ms; only *Ms metrics and profiles read it
  /** A profile of the update about to begin, where one was asked for. */
  readonly startProfile?: () => UpdateProfiler | null;
}

/**
 * Trains to the end of the configuration, evaluating before, between and after.
 * @throws RunStopped when the transport stops it, NonFiniteLossError, and whatever policy and environment throw
 */
export async function train(run: Run): Promise<void> {
  const { config, transport } = run;
  const { every } = config.evaluation;
  await transport.gate();
  await evaluateAll(run, 0);
  for (let update = 1; update <= config.updates; update += 1) {
    await profiledUpdate(run, update);
    const due = every > 0 && update % every === 0;
    if (due || update === config.updates) await evaluateAll(run, update);
    transport.endUpdate();
  }
  transport.finish();
}

/** One update, and its profile if that was asked for before it began. */
async function profiledUpdate(run: Run, update: number): Promise<void> {
  await run.transport.gate();
  const profiler = run.startProfile?.() ?? null;
  if (!profiler) return trainUpdate(run, update);
  const startMs = run.now();
  try {
    await trainUpdate(run, update);
  } catch (error) {
    profiler.cancel();
    throw error;
  }
  run.post({ kind: 'profile', update, ...(await profiler.finish(run.now() - startMs)) });
}

async function trainUpdate(run: Run, update: number): Promise<void> {
  const { config, environment, policy, post, now } = run;
  const { rollout, credit, loss } = config.algorithm;
  const key: RandomKey = { seed: config.seed, update };
  await run.transport.beginUpdate(update);
  const prompts = trainingPrompts(environment, config.datasets, config.promptsPerUpdate, key);
  post({ kind: 'update-started', update, prompts });
  const startMs = now();

  const trees = await phase(run, update, 'rollout', () => {
    policy.beginRollout(key, { temperature: config.temperature, stopTokens: environment.stopTokens });
    return growTrees(policy, environment, prompts, rollout, key, postTree(run, update));
  });
  const rolloutMs = now() - startMs;

  const rewards = await phase(run, update, 'reward', () => {
    const byTree = trees.map((tree) => scoreLeaves(tree, environment).byNode);
    post({
      kind: 'rewards',
      update,
      trees: trees.map((tree, t) => ({ prompt: tree.prompt.index, byNode: byTree[t] })),
    });
    return byTree;
  });

  const values = await phase(run, update, 'value', () =>
    trees.map((tree, t) => {
      const normalised = normaliseLeaves(tree, rewards[t], credit.leafNormalisation).byNode;
      return { normalised, byNode: backUpValues(tree, normalised, credit.valueRule).byNode };
    }),
  );

  const advantages = await phase(run, update, 'advantage', () => {
    const byTree = trees.map((tree, t) =>
      turnAdvantages(tree, values[t].byNode, rewards[t], credit.advantageRule),
    );
    post({
      kind: 'credit',
      update,
      trees: trees.map((tree, t) => ({
        prompt: tree.prompt.index,
        valueRule: credit.valueRule,
        advantageRule: credit.advantageRule,
        normalised: values[t].normalised,
        values: values[t].byNode,
        advantages: byTree[t].byNode,
      })),
    });
    return byTree;
  });

  const batches = minibatches([...trees.keys()], config.promptsPerMinibatch, key).map((selection) =>
    packTrees(trees, advantages, environment.contextLength, selection),
  );
  const trained = await trainBatches(run, update, batches);

  post({
    kind: 'metrics',
    update,
    metrics: {
      ...treeMetrics(trees.map((tree, t) => ({ tree, rewards: rewards[t] }))),
      ...stepMetrics(trained, loss),
      entropy: meanEntropy(trained.map(({ oldScores }) => oldScores)),
      rolloutMs,
      trainMs: now() - startMs - rolloutMs,
    },
  });
}

/** Old log-probabilities once for all mini-batches, by the trainer and not the sampler; then loss and step of each. */
async function trainBatches(
  run: Run,
  update: number,
  batches: readonly TokenBatch[],
): Promise<readonly TrainedBatch[]> {
  const { config, policy, reference, post } = run;
  const { temperature, optimiser } = config;
  const { loss } = config.algorithm;
  const trained: TrainedBatch[] = [];
  let oldScores: readonly TokenScores[] = [];
  let refScores: readonly TokenScores[] = [];
  for (const [minibatch, batch] of batches.entries()) {
    const entry = await phase(run, update, 'loss', async () => {
      if (minibatch === 0) {
        oldScores = await scoreAll(policy, batches, temperature);
        refScores = reference ? await scoreAll(reference, batches, temperature) : [];
      }
      const scores = oldScores[minibatch];
      const refLogProb = reference ? refScores[minibatch].logProb : null;
      const result = await policy.update(batch, {
        oldLogProb: scores.logProb,
        refLogProb,
        temperature,
        loss,
        optimiser,
      });
      checkFinite(update, minibatch, batch, result.loss);
      const rows = lossRows({ batch, oldLogProb: scores.logProb, result: result.loss });
      post({ kind: 'loss', update, minibatch, loss: result.loss.loss, rows });
      return { batch, oldScores: scores, result };
    });
    await phase(run, update, 'step', () => post({ kind: 'step', update, minibatch, ...entry.result.step }));
    trained.push(entry);
  }
  return trained;
}

async function scoreAll(
  policy: TrainablePolicy,
  batches: readonly TokenBatch[],
  temperature: number,
): Promise<readonly TokenScores[]> {
  const scores: TokenScores[] = [];
  for (const batch of batches) scores.push(await policy.score(batch, temperature)); // one at a time: they share buffers
  return scores;
}

function checkFinite(
  update: number,
  minibatch: number,
  batch: TokenBatch,
  { loss, tokenLoss }: LossResult,
): void {
  if (Number.isFinite(loss)) return;
  const scored = tokenLoss.findIndex((value) => !Number.isFinite(value));
  const row = batch.rows.find(({ scoredStart, scoredEnd }) => scored >= scoredStart && scored < scoredEnd);
  throw new NonFiniteLossError(
    update,
    minibatch,
    loss,
    row ? `, prompt ${row.prompt}, leaf ${row.leaf}` : '',
  );
}

/** Posts the phase, does its work, and pauses after it if a single phase was asked for. */
async function phase<T>(run: Run, update: number, name: Phase, work: () => T | Promise<T>): Promise<T> {
  await run.transport.beginPhase(name);
  run.post({ kind: 'phase', update, phase: name });
  const result = await work();
  run.transport.endPhase();
  return result;
}

const gateRounds = ({ transport }: Run): RolloutObserver => ({
  onRound: () => transport.gate(),
  signal: transport.signal,
});

/** Posts a tree as it grows. */
const postTree = (run: Run, update: number): RolloutObserver => ({
  ...gateRounds(run),
  onNode: (prompt, node) => run.post({ kind: 'node', update, prompt, node }),
  onExpansion: (prompt, record) => run.post({ kind: 'expansion', update, prompt, record }),
  onLeaves: (prompt, leaves, pruned) => run.post({ kind: 'leaves', update, prompt, leaves, pruned }),
});

/** Each held-out data set, once sampled as in training and once greedily. */
async function evaluateAll(run: Run, update: number): Promise<void> {
  const { config, environment, policy, post } = run;
  const { questions, datasets } = config.evaluation;
  if (questions === 0) return;
  for (const dataset of datasets) {
    for (const greedy of [false, true]) {
      const temperature = greedy ? 0 : config.temperature;
      const request = { policy, environment, dataset, questions, seed: config.seed, temperature };
      const exactMatch = await evaluate({ ...request, observer: gateRounds(run) });
      post({ kind: 'evaluation', update, dataset, questions, exactMatch, greedy });
    }
  }
}
