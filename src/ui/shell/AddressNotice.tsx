/** Said where a link asks for what this version does not understand, or this browser does not have: the rest is shown. */
import { missingPlaces, type MissingPlace } from '../../store/missing_place.ts';
import { lastNeeded } from '../../store/selection.ts';
import type { RunConfig } from '../../units.ts';
import { useLab, usePlayer, useRun, useSelection, useTransport } from '../binding.ts';
import { useHandTree } from '../tree/use_hand.ts';

function Unknown({ parts }: { readonly parts: readonly string[] }) {
  const { selection } = useLab();
  return (
    <div className="notice" role="status">
      <p>
        This address asks for something that the lab does not know:{' '}
        {parts.map((part, index) => (
          <span key={index}>
            {index > 0 && ', '}
            <code>{part}</code>
          </span>
        ))}
        . That part was left out; the rest is shown as the link has it.
      </p>
      <button type="button" className="small" onClick={() => selection.select({ ignored: [] })}>
        Dismiss
      </button>
    </div>
  );
}

function Missing({ place }: { readonly place: MissingPlace }) {
  const { selection, transport } = useLab();
  const { what, got, wanted, next, train, leave } = place;
  const trainHere = (config: RunConfig): void => {
    const sought = selection.getState();
    transport.setDraft(config);
    transport.restart();
    selection.setState({ ...sought, run: selection.getState().run }, true); // shown when the training comes there
  };
  return (
    <div className="notice missing-place" role="status">
      <div>
        <p>
          <strong>{what}.</strong> Wanted: {wanted}. Got: {got}.
        </p>
        <p>{next}</p>
      </div>
      {train && (
        <button type="button" className="small" onClick={() => trainHere(train)}>
          Train it here
        </button>
      )}
      <button type="button" className="small" onClick={() => selection.select(leave)}>
        Stay with what is here
      </button>
    </div>
  );
}

function usePlaces(): readonly MissingPlace[] {
  const header = useRun((run) => run.header);
  const ready = useRun((run) => run.ready);
  const updateCount = useRun((run) => run.updates.length);
  const run = useSelection((state) => state.run);
  const update = useSelection((state) => state.update);
  const prompt = useSelection((state) => state.prompt);
  const node = useSelection((state) => state.node);
  const leaf = useSelection((state) => state.leaf);
  const pinned = useSelection((state) => state.pinned);
  const shown = useRun(({ updates }) => (update === null ? null : (updates[update - 1] ?? null)));
  const source = useTransport((transport) => transport.source);
  const isRead = usePlayer((player) => player.complete);
  const hand = useHandTree()?.tree ?? null;
  return missingPlaces({
    run: { header, ready },
    updateCount,
    needed: lastNeeded({ update, pinned }),
    shown,
    selection: { run, prompt, node, leaf },
    source,
    isRead,
    hand,
  });
}

export function AddressNotice() {
  const ignored = useSelection((state) => state.ignored);
  const places = usePlaces();
  return (
    <>
      {ignored.length > 0 && <Unknown parts={ignored} />}
      {places.map((place) => (
        <Missing key={place.what} place={place} />
      ))}
    </>
  );
}
