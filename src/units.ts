/**
 * The shared vocabulary: ids, trees, batches, configs and the three seams (environment, turn sampler,
 * trainer) that the stages meet at. Types and trivial constructors only; imports nothing.
 */
export * from './units/trees.ts';
export * from './units/rollouts.ts';
export * from './units/seams.ts';
export * from './units/credit.ts';
export * from './units/loss.ts';
export * from './units/batch.ts';
export * from './units/configs.ts';
export * from './units/errors.ts';
