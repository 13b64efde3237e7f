import { editLabel, type EditedKernel, type ErrorReport } from '../units.ts';

/** A report of a lost device, and that a person's text of a kernel was running when it went. */
export function blameEdit(report: ErrorReport, edit: EditedKernel | null): ErrorReport {
  if (!edit) return report;
  const where = `${report.where}, ${editLabel(edit)}`;
  const next = `The edited kernel was running: look for a loop that does not end or an index out of range in it, or reset it to the original. ${report.next}`;
  return { ...report, where, next };
}
