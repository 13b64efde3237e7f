/** The other way of the mirror: what the address bar says after Back and Forward becomes the selection. */
import { decodeSelection } from './address.ts';
import type { SelectionStore } from './selection.ts';

/** What is used of a window. */
export interface Travelled {
  readonly location: { readonly hash: string };
  addEventListener(type: 'popstate', listener: () => void): void;
  removeEventListener(type: 'popstate', listener: () => void): void;
}

/** @returns a function that stops following */
export function followAddress(store: SelectionStore, bar: Travelled): () => void {
  const follow = (): void => store.setState(decodeSelection(bar.location.hash), true);
  bar.addEventListener('popstate', follow);
  return () => bar.removeEventListener('popstate', follow);
}
