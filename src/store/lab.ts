/** All slices of the page, made together. */
import type { RunCommand } from '../train/protocol.ts';
import { decodeSelection } from './address.ts';
import { createPlayer, type Player } from './player.ts';
import { createRunStore, type RunStore } from './run.ts';
import { createSelectionStore, type SelectionStore } from './selection.ts';
import { createTransport, type Transport } from './transport.ts';

export interface Lab {
  readonly run: RunStore;
  readonly selection: SelectionStore;
  readonly player: Player;
  readonly transport: Transport;
}

/**
 * @param send carries commands to the engine
 * @param hash the address the page was opened with
 */
export function createLab(send: (command: RunCommand) => void, hash = ''): Lab {
  const run = createRunStore();
  const selection = createSelectionStore(decodeSelection(hash));
  const player = createPlayer(run.apply);
  return { run, selection, player, transport: createTransport({ run, selection, player, send }) };
}
