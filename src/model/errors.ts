import { LabError, shorten, type ErrorReport } from '../units.ts';

/** A model configuration that cannot be built. */
export class ConfigError extends LabError {
  constructor(report: ErrorReport) {
    super('ConfigError', report);
  }
}

/** A weights file that is malformed, or made for another model. */
export class WeightsError extends LabError {
  constructor(report: ErrorReport, cause?: unknown) {
    super('WeightsError', report, cause);
  }
}

/** Text with a word, or a token id, outside the vocabulary. */
export class TokenError extends LabError {
  constructor(report: ErrorReport) {
    super('TokenError', report);
  }
}

/** A batch or request that does not fit the policy. */
export class BatchError extends LabError {
  constructor(report: ErrorReport) {
    super('BatchError', report);
  }
}

/** Parameters of another model. */
export class ParameterCountError extends LabError {
  constructor(got: number, wanted: number) {
    super('ParameterCountError', {
      what: 'These parameters do not fit the model',
      where: 'policy.scoreAt',
      got: `${got} numbers`,
      wanted: `${wanted}, laid out as policy.parameters() gives them`,
      next: 'Take parameters of the same policy, or load another model’s as a file.',
    });
  }
}

/** A saved state of another model. */
export class PolicyStateError extends LabError {
  constructor(where: string, got: string, wanted: string) {
    super('PolicyStateError', {
      what: 'A saved state does not fit the model',
      where: `policy.writeState, ${shorten(where)}`,
      got,
      wanted,
      next: "Resume with the configuration that the state was saved under: the state's own.",
    });
  }
}

/** Asked of a model with frozen tensors what only a model that is trained can do. */
export class FrozenModelError extends LabError {
  constructor(where: string, frozenCount: number, tensorCount: number) {
    super('FrozenModelError', {
      what: 'Parts of this model are frozen',
      where,
      got: `${frozenCount} of ${tensorCount} tensors frozen`,
      wanted: where === 'training' ? 'a tensor that is trained' : 'a model that is trained as a whole',
      next: 'Make a policy whose storage trains them, or keep the file that the model was read from.',
    });
  }
}

/** A step without a gradient to go along. */
export class NoGradientError extends LabError {
  constructor() {
    super('NoGradientError', {
      what: 'There is no gradient to step along',
      where: 'policy.step',
      got: 'a step with no backward pass since the last one',
      wanted: 'one policy.backward before each policy.step',
      next: 'Call policy.backward on a mini-batch first.',
    });
  }
}

/** More places asked of the KV cache than it has, all of them pointed to by requests under way. */
export class CacheFullError extends LabError {
  constructor(limit: number) {
    super('CacheFullError', {
      what: 'The KV cache is full',
      where: 'sampling',
      got: `${limit} places, all in use by requests under way`,
      wanted: 'a place for one token more',
      next: 'Sample fewer requests together, or shorten the context.',
    });
  }
}
