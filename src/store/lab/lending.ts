/** Puts another record on screen for a while, as a lesson does, and the one of before back. */
import type { StoreApi } from 'zustand/vanilla';
import type { RunCommand } from '../../protocol/protocol.ts';
import type { SelectionStore } from '../place/selection.ts';
import type { Player } from '../record/player.ts';
import type { RunStore, Screen } from '../record/run.ts';

/** Who feeds the record on screen: the player, the engine, or nobody any more. */
export type Source = 'recorded' | 'live' | 'file';

export interface Lending {
  /**
   * Shows another record with the selection as it is; what plays is paused. A second one takes its place.
   * @param record 'recorded' is the recorded run, as far as it has played
   */
  readonly borrow: (record: RunStore | 'recorded') => void;
  /** Puts the record of before back, and plays on if it played; where the person has put another on screen since, it stays. */
  readonly giveBack: () => void;
}

interface LendingParts {
  readonly run: Screen;
  readonly recorded: RunStore;
  readonly live: RunStore;
  readonly selection: SelectionStore;
  readonly player: Player;
  readonly send: (command: RunCommand) => void;
}

interface OnScreen {
  readonly source: Source;
  readonly awaiting: boolean;
}

export function createLending(
  { run, recorded, live, selection, player, send }: LendingParts,
  transport: Pick<StoreApi<OnScreen>, 'getState' | 'setState'>,
): Lending {
  let borrowed: RunStore | null = null;
  let before: { readonly record: RunStore; readonly source: Source; readonly played: boolean } | null = null;
  const plays = (source: Source): boolean =>
    source === 'live'
      ? live.getState().status === 'running'
      : source === 'recorded' && player.getState().playing;
  return {
    borrow(wanted) {
      const { source } = transport.getState();
      const played = plays(source);
      if (borrowed === null || run.shown() !== borrowed) before = { record: run.shown(), source, played };
      if (source === 'live' && played) send({ kind: 'pause' });
      player.pause();
      borrowed = wanted === 'recorded' ? recorded : wanted;
      const { ready } = run.getState();
      if (ready) borrowed.apply([ready]);
      run.show(borrowed);
      selection.select({ run: null });
      transport.setState({ source: wanted === 'recorded' ? 'recorded' : 'file', awaiting: false });
    },
    giveBack() {
      const lent = before;
      const isOurs = borrowed !== null && run.shown() === borrowed;
      borrowed = before = null;
      if (!lent || !isOurs) return;
      player.pause();
      run.show(lent.record);
      transport.setState({ source: lent.source });
      if (!lent.played) return;
      if (lent.source === 'live') send({ kind: 'play' });
      else player.play();
    },
  };
}
