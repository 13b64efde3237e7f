/** Visibility of packed rows and trees, for cases and tests. */

/** A turn of `length` tokens and the turns that branch off at its end; a plain row is a turn without children. */
export interface Turn {
  readonly length: number;
  readonly children?: readonly Turn[];
}

export const row = (length: number): Turn => ({ length });

/** Pairs (visibleStart, visibleEnd) of every token, trees back to back, each in pre-order. */
export function packVisible(trees: readonly Turn[]): Uint32Array<ArrayBuffer> {
  const pairs: number[] = [];
  const place = (turn: Turn, treeStart: number): void => {
    const first = pairs.length;
    for (let index = 0; index < turn.length; index++) pairs.push(treeStart, 0);
    for (const child of turn.children ?? []) place(child, treeStart);
    for (let index = 0; index < turn.length; index++) pairs[first + 2 * index + 1] = pairs.length / 2;
  };
  for (const tree of trees) place(tree, pairs.length / 2);
  return Uint32Array.from(pairs);
}
