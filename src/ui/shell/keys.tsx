/** The keyboard map: views register their keys with `useKeys`; `?` lists what is registered. */
import { createContext, useContext, useEffect, useMemo, useRef, useState, type ReactNode } from 'react';
import type { HiddenName } from '../../store/place/stage.ts';
import { useLab } from '../parts/binding.ts';

export interface KeyBinding {
  readonly key: string; // KeyboardEvent.key, e.g. ' ', 'ArrowLeft', '['
  readonly shift?: boolean; // for keys that shift does not change by itself, such as arrows
  readonly first?: boolean; // wins over the keys of views, as those of a lesson do
  readonly of?: HiddenName; // does nothing while a teacher's link hides this
  readonly label: string; // a sentence without a full stop: "play or pause"
  readonly run: () => void;
}

class KeyRegistry {
  readonly #lists = new Set<{ readonly current: readonly KeyBinding[] }>();
  readonly #hidden: () => readonly HiddenName[];

  constructor(hidden: () => readonly HiddenName[]) {
    this.#hidden = hidden;
  }

  add(list: { readonly current: readonly KeyBinding[] }): () => void {
    this.#lists.add(list);
    return () => this.#lists.delete(list);
  }

  /** Last registered first: a view's key wins over the shell's. */
  bindings(): readonly KeyBinding[] {
    const hidden = this.#hidden();
    const latest = [...this.#lists]
      .reverse()
      .flatMap((list) => list.current)
      .filter(({ of }) => !of || !hidden.includes(of));
    const all = [...latest.filter(({ first }) => first), ...latest.filter(({ first }) => !first)];
    return all.filter((binding, index) => all.findIndex((other) => sameKey(binding, other)) === index);
  }
}

const sameKey = (a: KeyBinding, b: KeyBinding): boolean => a.key === b.key && !!a.shift === !!b.shift;

const KeyContext = createContext<KeyRegistry | null>(null);

/** Elements that use the key themselves. */
function isTaken(target: EventTarget | null, key: string): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || /^(INPUT|SELECT|TEXTAREA)$/.test(target.tagName)) return key !== 'Escape';
  return (key === ' ' || key === 'Enter') && /^(BUTTON|A|SUMMARY)$/.test(target.tagName);
}

const needsShift = (key: string): boolean => key.length > 1 || key === ' ';

function matches(binding: KeyBinding, event: KeyboardEvent): boolean {
  return binding.key === event.key && (!needsShift(event.key) || !!binding.shift === event.shiftKey);
}

export function KeyProvider({ children }: { readonly children: ReactNode }) {
  const { stage } = useLab();
  const [registry] = useState(() => new KeyRegistry(() => stage.getState().hidden));
  useEffect(() => {
    const listen = (event: KeyboardEvent): void => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
      if (isTaken(event.target, event.key)) return;
      const binding = registry.bindings().find((candidate) => matches(candidate, event));
      if (!binding) return;
      event.preventDefault();
      binding.run();
    };
    window.addEventListener('keydown', listen);
    return () => window.removeEventListener('keydown', listen);
  }, [registry]);
  return <KeyContext value={registry}>{children}</KeyContext>;
}

function useRegistry(): KeyRegistry {
  const registry = useContext(KeyContext);
  if (!registry) throw new Error('useKeys outside KeyProvider: wrap the tree in <KeyProvider>.');
  return registry;
}

/** Registers keys while the component is mounted. */
export function useKeys(bindings: readonly KeyBinding[]): void {
  const registry = useRegistry();
  const list = useRef(bindings);
  useEffect(() => {
    list.current = bindings;
  });
  useEffect(() => registry.add(list), [registry]);
}

/** What is registered at the moment of the call. */
export function useKeyList(): () => readonly KeyBinding[] {
  const registry = useRegistry();
  return useMemo(() => () => registry.bindings(), [registry]);
}

const NAMES: Readonly<Record<string, string>> = {
  ' ': 'Space',
  ArrowLeft: '←',
  ArrowRight: '→',
  ArrowUp: '↑',
  ArrowDown: '↓',
  Escape: 'Esc',
};

export const keyName = ({ key, shift }: KeyBinding): string => `${shift ? 'Shift ' : ''}${NAMES[key] ?? key}`;

// The keyboard map as a dialog. What takes the focus stands first: a dialog scrolls to it when it opens.

interface KeyHelpProps {
  readonly onClose: () => void;
  readonly onTerms?: () => void; // to the terms on screen, for a finger; absent: not from here
}

export function KeyHelp({ onClose, onTerms }: KeyHelpProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const bindings = useKeyList()();
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} className="key-help" aria-labelledby="key-help-title" onClose={onClose}>
      <form method="dialog" className="section-head">
        <h2 id="key-help-title">Keyboard</h2>
        {onTerms && (
          <button type="button" onClick={onTerms}>
            Terms on screen
          </button>
        )}
        <button type="submit">Close</button>
      </form>
      <dl>
        {bindings.map((binding) => (
          <div key={keyName(binding)}>
            <dt>
              <kbd>{keyName(binding)}</kbd>
            </dt>
            <dd>{binding.label}</dd>
          </div>
        ))}
      </dl>
    </dialog>
  );
}

// Keys that move through updates and prompts in every view.

export function useUpdateKeys(): readonly KeyBinding[] {
  const { run, selection } = useLab();
  const moveUpdate = (by: number): void => {
    const last = run.getState().updates.length;
    if (last === 0) return;
    const from = Math.min(selection.getState().update ?? last, last); // one that is still to come is not on screen
    selection.select({ update: Math.min(Math.max(from + by, 1), last) });
  };
  return [
    { key: '[', of: 'updates', label: 'update before', run: () => moveUpdate(-1) },
    { key: ']', of: 'updates', label: 'update after', run: () => moveUpdate(1) },
    {
      key: 'f',
      of: 'updates',
      label: 'follow the newest update',
      run: () => selection.select({ update: null }),
    },
  ];
}
