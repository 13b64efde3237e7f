/** What every error of the project says. */

/** The five things an error says. Every error class of the project carries one. */
export interface ErrorReport {
  readonly what: string;
  readonly where: string;
  readonly got: string;
  readonly wanted: string;
  readonly next: string; // what the person can do now
}

/** Base of the project's errors: the message is the report in one sentence. */
export class LabError extends Error {
  readonly report: ErrorReport;
  constructor(name: string, report: ErrorReport, cause?: unknown) {
    super(
      `${report.what} (${report.where}): got ${report.got}, wanted ${report.wanted}. ${report.next}`,
      cause === undefined ? undefined : { cause },
    );
    this.name = name;
    this.report = report;
  }
}
