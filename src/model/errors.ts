import { LabError, type ErrorReport } from '../units.ts';

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
