/** Keys that move through updates and prompts in every view. */
import { useLab } from '../binding.ts';
import type { KeyBinding } from './keys.tsx';

export function useUpdateKeys(): readonly KeyBinding[] {
  const { run, selection } = useLab();
  const moveUpdate = (by: number): void => {
    const last = run.getState().updates.length;
    if (last === 0) return;
    const from = Math.min(selection.getState().update ?? last, last); // one that is still to come is not on screen
    selection.select({ update: Math.min(Math.max(from + by, 1), last) });
  };
  return [
    { key: '[', label: 'update before', run: () => moveUpdate(-1) },
    { key: ']', label: 'update after', run: () => moveUpdate(1) },
    { key: 'f', label: 'follow the newest update', run: () => selection.select({ update: null }) },
  ];
}
