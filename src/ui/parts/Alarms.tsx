/** What is wrong with the run, one line each: since when, the numbers, what to do, and an example to go to. */
import { useMemo } from 'react';
import { standingAlarms, type Alarm } from '../../store/alarms/alarms.ts';
import { useLab, useRun } from './binding.ts';
import { formatNumber, formatShare } from './format.ts';

/** Recomputed when an update closes or an alarm is put away, not with every node. */
export function useAlarms(): readonly Alarm[] {
  const { run } = useLab();
  const closed = useRun((state) => state.updates.findLast((update) => update.metrics)?.metrics);
  const origin = useRun((state) => state.header?.origin); // which holds the steps of an import
  const dismissed = useRun((state) => state.dismissedAlarms);
  return useMemo(() => {
    void [closed, origin, dismissed]; // what the alarms depend on
    return standingAlarms(run.getState());
  }, [run, closed, origin, dismissed]);
}

function valueText({ value, unit }: Alarm['numbers'][number]): string {
  if (unit === 'share') return formatShare(value);
  if (unit === 'count') return formatNumber(value, 0);
  const digits = unit === 'nats' ? 3 : 2;
  return unit === 'number' ? formatNumber(value, digits) : `${formatNumber(value, digits)} ${unit}`;
}

/** The title alone is announced: numbers change with every update. */
function AlarmLine({ alarm }: { readonly alarm: Alarm }) {
  const { run, selection } = useLab();
  const { title, of, since, numbers, sentence, next, example, id } = alarm;
  return (
    <li className="alarm" data-kind={alarm.kind}>
      <div>
        <strong role="alert">
          <span aria-hidden="true">▲ </span>
          {title} since {of} {since}
        </strong>{' '}
        <span className="number">
          {numbers.map((entry) => `${valueText(entry)} ${entry.name}`).join(', ')}.
        </span>{' '}
        {sentence} <em>{next}</em>
      </div>
      <button
        type="button"
        className="small"
        aria-label={`${title}: show an example`}
        onClick={() => selection.select(example)}
      >
        Example
      </button>
      <button
        type="button"
        className="small"
        aria-label={`${title}: dismiss`}
        onClick={() => run.dismissAlarm(id)}
      >
        Dismiss
      </button>
    </li>
  );
}

export function Alarms() {
  const alarms = useAlarms();
  if (alarms.length === 0) return null;
  return (
    <ul className="alarms small" aria-label="Alarms">
      {alarms.map((alarm) => (
        <AlarmLine key={alarm.id} alarm={alarm} />
      ))}
    </ul>
  );
}
