/** Runs from wherever they are, put side by side in Compare. */
import type { RunStore } from '../record/run.ts';
import type { KeptRun } from '../record/shelf.ts';
import type { Lab } from './lab.ts';

/** The shelf has the record, or a copy of it as it stands. */
const isAsIt = ({ record: own, run }: KeptRun, record: RunStore): boolean =>
  own === record || run.updates === record.getState().updates;

/**
 * Shows the first of the records that is on screen already, else the live one, else the first; the others stand beside it.
 * @param records at least one, each with a run
 */
export function compareRecords(lab: Lab, records: readonly RunStore[]): void {
  const { run, live, shelf, transport, selection } = lab;
  const isThere = (record: RunStore): boolean => records.includes(record);
  const first = [run.shown(), live].find(isThere) ?? records[0];
  if (first !== run.shown()) {
    if (first === live) transport.showLive();
    else transport.show(first);
  }
  const known = shelf.getState().runs;
  const ids = records
    .filter((record) => record !== first)
    .flatMap((record) => known.find((kept) => isAsIt(kept, record))?.id ?? shelf.keep(record) ?? []);
  shelf.compare(ids);
  selection.select({ view: 'compare', compared: 'runs' });
}
