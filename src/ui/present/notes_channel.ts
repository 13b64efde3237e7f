/** What goes between the projected page and the lecturer's second window: a BroadcastChannel of this site. */

/** What the second window shows. */
export interface Notes {
  readonly title: string;
  readonly place: string; // where in it
  readonly now: readonly string[]; // paragraphs on the projector, and the lecturer's notes on them
  readonly next: string; // what Next brings
  readonly black: boolean;
}

export const ACTS = ['next', 'previous', 'black'] as const;
export type Act = (typeof ACTS)[number];

type Message =
  | { readonly kind: 'notes'; readonly notes: Notes }
  | { readonly kind: 'hello' } // a window opens, and asks for the notes
  | { readonly kind: 'act'; readonly act: Act }
  | { readonly kind: 'over' };

const CHANNEL = 'turnwise presenter';

/** @returns the way to say something, and the way to stop hearing */
export function openChannel(hear: (message: Message) => void) {
  const channel = new BroadcastChannel(CHANNEL);
  channel.onmessage = ({ data }: MessageEvent<Message>) => hear(data); // only pages of this site speak on it
  return {
    say: (message: Message): void => channel.postMessage(message),
    close: (): void => channel.close(),
  };
}

/** The page again, under whatever path it lies, as the second window. */
export const notesAddress = (page: Pick<Location, 'origin' | 'pathname'>): string =>
  `${page.origin}${page.pathname}?notes`;

/** The key of a clicker, of the keyboard; null: another. */
export function actOf({ key, shiftKey }: Pick<KeyboardEvent, 'key' | 'shiftKey'>): Act | null {
  if (key === 'b' || key === 'B' || key === '.') return 'black';
  if (key === 'PageDown' || key === 'ArrowRight') return 'next';
  if (key === 'PageUp' || key === 'ArrowLeft') return 'previous';
  return key === ' ' ? (shiftKey ? 'previous' : 'next') : null;
}
