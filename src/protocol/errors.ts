/** What is wrong with what one side says to the other, or with what a file says. */
import { LabError, type ErrorReport } from '../units.ts';

/** A run configuration that cannot be run. */
export class RunConfigError extends LabError {
  constructor(report: ErrorReport) {
    super('RunConfigError', report);
  }
}

/** A message to or from the worker that the protocol does not know. */
export class ProtocolError extends LabError {
  constructor(report: ErrorReport) {
    super('ProtocolError', report);
  }
}

/** What became of one question to the engine: its own report, or that of whoever was to answer. */
export class QuestionError extends LabError {
  constructor(report: ErrorReport, cause?: unknown) {
    super('QuestionError', report, cause);
  }
}

/** A recorded run that cannot be read. */
export class RecordingError extends LabError {
  constructor(report: ErrorReport, cause?: unknown) {
    super('RecordingError', report, cause);
  }
}

/** A recorded run that ends before its end line: what came before is good. The page tells it by its name. */
export class RecordingCutOffError extends RecordingError {
  constructor(where: string, got: string, cause?: unknown) {
    super(
      {
        what: 'The recorded run is not whole',
        where,
        got,
        wanted: 'a last line of kind "end": the file is truncated',
        next: 'What came before is kept. Copy or download the file again for the rest.',
      },
      cause,
    );
    this.name = 'RecordingCutOffError';
  }
}

/** Anything thrown, as a report: our own errors carry one, others are wrapped as they are. */
export function reportOf(error: unknown, where: string): ErrorReport {
  if (error instanceof LabError) return error.report;
  const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return {
    what: 'The engine met an error that it did not expect',
    where,
    got: message,
    wanted: 'no error',
    next: 'Reset the run; if it comes again, report this message with the browser and its version.',
  };
}
