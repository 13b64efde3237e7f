/** Types of page_work.mjs, for its test. */
export const WORK_CATEGORIES: readonly string[];
export function pageWork(
  events: readonly object[],
  inputs?: readonly string[],
): {
  readonly frames: readonly number[];
  readonly inputs: readonly { readonly type: string; readonly ms: number }[];
};
