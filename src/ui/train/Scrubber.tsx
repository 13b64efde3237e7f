/** Moves through the updates of the log; follows the newest until it is touched. */
import { useLab, useOfUpdate, useRun, useSelection } from '../binding.ts';
import { countWords, formatMs } from '../format.ts';

/** Work of the update shown: time and tokens. */
function Pace() {
  const metrics = useOfUpdate((update) => update?.metrics);
  if (!metrics) return <span className="pace small soft" />;
  const total = formatMs(metrics.rolloutMs + metrics.trainMs);
  return (
    <span className="pace small soft">
      {total} · {countWords(metrics.sampledTokens, 'token')} sampled
    </span>
  );
}

export function Scrubber() {
  const { selection } = useLab();
  const last = useRun((run) => run.updates.length);
  const planned = useRun((run) => run.header?.config.updates ?? 0);
  const selected = useSelection((state) => state.update);
  const shown = Math.min(selected ?? last, last);
  return (
    <div className="scrubber">
      <label htmlFor="scrubber">
        Update <output className="number">{shown}</output> of {planned}
      </label>
      <input
        id="scrubber"
        type="range"
        min={Math.min(1, last)}
        max={Math.max(planned, last, 1)}
        value={shown}
        disabled={last === 0}
        aria-valuetext={`update ${shown} of ${planned}${selected === null ? ', following the newest' : ''}`}
        onChange={(event) => {
          const wanted = Number(event.target.value);
          selection.select({ update: wanted >= last ? null : wanted });
        }}
      />
      {selected === null ? (
        <span className="follow small soft">newest</span>
      ) : (
        <button type="button" className="follow small" onClick={() => selection.select({ update: null })}>
          Newest
        </button>
      )}
      <Pace />
    </div>
  );
}
