/**
 * How a log of an older version becomes one of the version after: once for each version, in order, event by event, before
 * any schema looks at it. So schemas know one version, the newest, and a field that came later is filled in here alone.
 */

/** An event as its line of JSON has it; nothing of it is checked yet. */
export type RawEvent = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is RawEvent =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Changes a field of an object; what is no object, or lacks the field, stays for the schema to refuse. */
const within = (value: RawEvent, field: string, change: (inner: RawEvent) => RawEvent): RawEvent => {
  const inner = value[field];
  return isObject(inner) ? { ...value, [field]: change(inner) } : value;
};

function renamed(value: RawEvent, from: string, to: string): RawEvent {
  if (!Object.hasOwn(value, from)) return value;
  const { [from]: kept, ...rest } = value;
  return { ...rest, [to]: kept };
}

const withSurprisal = (value: RawEvent): RawEvent => renamed(value, 'turnEntropy', 'turnSurprisal');

/**
 * Entry n leads from version n + 1 to the next. Each is a pure function of one event; an event that it does not know, or that
 * is malformed, is returned as it is.
 */
const MIGRATIONS: readonly ((event: RawEvent) => RawEvent)[] = [
  // 1 → 2: the mean surprisal of a turn was called its entropy. What files older than a field lack is said: trained here, one tree a prompt,
  // every group rolled out once and kept; admissions and norms by head are not known of them.
  // What the run remembers (`remembered`) is in none of them.
  (event) => {
    switch (event.kind) {
      case 'run-started':
        return { origin: { kind: 'trained' }, tokens: 'vocabulary', ...event };
      case 'node':
        return within(event, 'node', (node) => withSurprisal({ tree: 0, ...node }));
      case 'expansion':
        return within(event, 'record', (record) => {
          const { candidates } = record;
          if (!Array.isArray(candidates)) return record;
          return {
            ...record,
            candidates: candidates.map((each: unknown) => (isObject(each) ? withSurprisal(each) : each)),
          };
        });
      case 'metrics':
        return within(event, 'metrics', (metrics) =>
          withSurprisal({
            unknown: null,
            reliability: null,
            rolloutBatches: 1,
            droppedGroups: 0,
            ...metrics,
          }),
        );
      case 'evaluation':
        return { unknown: null, reliability: null, ...event };
      case 'step':
        return { headNorms: [], ...event };
      default:
        return event;
    }
  },
];

/** Of the logs that are written. */
export const LOG_VERSION = MIGRATIONS.length + 1;

/** @param version that the event was written in, from 1 to LOG_VERSION. @returns the event as LOG_VERSION has it */
export function migrated(value: unknown, version: number): unknown {
  if (!isObject(value) || version === LOG_VERSION) return value;
  const event = MIGRATIONS.slice(version - 1).reduce<RawEvent>((before, migrate) => migrate(before), value);
  return event.kind === 'run-started' ? { writtenIn: version, ...event } : event; // of its first writing, whoever saved it since
}
