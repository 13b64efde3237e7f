/** A run that goes on from the state of another with other settings: what may change there, and what may not. */
import { needsReference, needsRewardModel } from '../algo/credit/signals.ts';
import { LabError, quote, type AlgorithmConfig, type RunConfig } from '../units.ts';

export interface Fork {
  readonly run: string; // the run that is forked, as its log dates it
  readonly config: RunConfig; // of the new run
}

/** A setting that cannot change at a fork. */
export interface FixedSetting {
  readonly path: string; // dotted, into RunConfig
  readonly why: string;
  readonly parent: unknown;
  readonly wanted: unknown; // by the fork
}

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

const needs = (algorithm: AlgorithmConfig): readonly (readonly [needed: boolean, why: string])[] => [
  [
    needsReference(algorithm),
    'the method compares with the policy before training, which the parent did not keep',
  ],
  [
    needsRewardModel(algorithm),
    'the method trains a reward model from the start, which the parent does not have',
  ],
];

/**
 * What stands against a fork.
 * @param update the parent's last that the fork has
 */
export function fixedAtFork(parent: RunConfig, wanted: RunConfig, update: number): readonly FixedSetting[] {
  const fixed: FixedSetting[] = [];
  const refuse = (path: string, why: string, a: unknown, b: unknown): void =>
    void fixed.push({ path, why, parent: a, wanted: b });
  const models = parent.model as unknown as Readonly<Record<string, unknown>>;
  for (const [name, value] of Object.entries(wanted.model))
    if (!same(models[name], value))
      refuse(`model.${name}`, 'the weights of the parent have its shape', models[name], value);
  if (parent.environment !== wanted.environment)
    refuse(
      'environment',
      'the weights of the parent know its vocabulary',
      parent.environment,
      wanted.environment,
    );
  if (parent.weights !== wanted.weights)
    refuse(
      'weights',
      `the fork starts with the parent’s, after update ${update}`,
      parent.weights,
      wanted.weights,
    );
  if (wanted.updates <= update)
    refuse('updates', `the fork begins after update ${update}`, parent.updates, wanted.updates);
  const had = needs(parent.algorithm);
  needs(wanted.algorithm).forEach(([needed, why], place) => {
    if (needed && !had[place][0]) refuse('algorithm', why, parent.algorithm.name, wanted.algorithm.name);
  });
  return fixed;
}

/** @throws ForkError naming the first setting that cannot change */
export function checkFork(parent: RunConfig, wanted: RunConfig, update: number): void {
  const [first] = fixedAtFork(parent, wanted, update);
  if (!first) return;
  throw new LabError('ForkError', {
    what: 'This setting cannot change at a fork',
    where: first.path,
    got: quote(first.wanted),
    wanted: `${quote(first.parent)}: ${first.why}`,
    next: 'Undo this change, or start the run again with it.',
  });
}
