/** The other way of the mirror: what the address bar says after Back and Forward becomes the selection. */
import { decodeSelection, OWN_ENTRY } from './address.ts';
import type { SelectionStore } from './selection.ts';

/** What is used of a window. */
export interface Travelled {
  readonly location: { readonly hash: string };
  addEventListener(type: 'popstate', listener: (event: { readonly state: unknown }) => void): void;
  removeEventListener(type: 'popstate', listener: (event: { readonly state: unknown }) => void): void;
}

/** A link that is pasted or clicked in the open page comes the same way, as an entry that the page did not write. */
export function followAddress(store: SelectionStore, bar: Travelled): () => void {
  const follow = ({ state }: { readonly state: unknown }): void =>
    store.setState(decodeSelection(bar.location.hash, state === OWN_ENTRY), true);
  bar.addEventListener('popstate', follow);
  return () => bar.removeEventListener('popstate', follow);
}
