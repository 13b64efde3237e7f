/** A guess beside the truth. Pure. */

/** What is asked, with its truth. */
export type Question =
  | { readonly kind: 'number'; readonly truth: number; readonly tolerance: number }
  | { readonly kind: 'sign'; readonly truth: number }
  | { readonly kind: 'ranking'; readonly items: readonly RankedItem[] } // to be ordered, greatest first
  | { readonly kind: 'choice'; readonly options: readonly string[]; readonly right: number };

export interface RankedItem {
  readonly label: string;
  readonly truth: number;
}

/** A number; a sign −1, 0 or 1; places of the items in the guessed order; the place of an option. */
export type Guess = number | readonly number[];

/** Differences below this are rounding. */
const SAME = 1e-9;

export const signOf = (value: number): -1 | 0 | 1 => (Math.abs(value) < SAME ? 0 : value > 0 ? 1 : -1);

/** The items by their truth, greatest first; equals in their own order. */
export const trueOrder = (items: readonly RankedItem[]): readonly number[] =>
  items.map((_, place) => place).toSorted((a, b) => items[b].truth - items[a].truth || a - b);

/** Whether a guess is right: items of equal truth may stand in any order. */
export function isRight(question: Question, guess: Guess): boolean {
  switch (question.kind) {
    case 'number':
      return typeof guess === 'number' && Math.abs(guess - question.truth) <= question.tolerance + SAME;
    case 'sign':
      return guess === signOf(question.truth);
    case 'ranking':
      return (
        typeof guess !== 'number' &&
        guess.length === question.items.length &&
        guess.every(
          (place, at) =>
            at === 0 || question.items[guess[at - 1]].truth >= question.items[place].truth - SAME,
        )
      );
    case 'choice':
      return guess === question.right;
  }
}
