/**
 * Terms of the field, explained in place. In a text a term is a button (`Term`). In the lab's labels (`Label`) it is underlined:
 * a press opens the same note, and for keys, which would have a stop at every label, one key lists all that are on screen.
 */
import { useEffect, useId, useRef, useState, type ReactNode } from 'react';
import { loadGlossary } from '../../lessons/catalogue.ts';
import { termIn } from '../../lessons/label_terms.ts';
import type { Glossary } from '../../lessons/lesson.ts';
import { parsePassage } from '../../store/lesson/passage.ts';

const MARGIN = 8; // px from the edge of the window

/** Below its words, or above where there is more room; never beyond the window. */
function place(popover: HTMLElement, words: Element): void {
  const { left, top, bottom } = words.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = popover;
  const x = Math.max(MARGIN, Math.min(left, innerWidth - width - MARGIN));
  const below = bottom + height + MARGIN <= innerHeight || top < height + MARGIN;
  popover.style.left = `${x}px`;
  popover.style.top = `${Math.max(MARGIN, below ? bottom + 4 : top - height - 4)}px`;
}

interface TermTextProps {
  readonly name: string; // in the glossary
  readonly words: ReactNode; // its title until the glossary is there
  readonly onTerm: (name: string) => void; // a term within the text
  readonly onArrived?: () => void; // the note has its size
}

/** What the glossary says of a term; it is fetched when this is first shown. */
export function TermText({ name, words, onTerm, onArrived }: TermTextProps) {
  const [glossary, setGlossary] = useState<Glossary | 'missing' | null>(null);
  const arrived = useRef(onArrived);
  useEffect(() => {
    let isGone = false;
    const take = (found: Glossary | 'missing'): void => {
      if (isGone) return;
      setGlossary(found);
      requestAnimationFrame(() => arrived.current?.());
    };
    loadGlossary('en').then(take, () => take('missing'));
    return () => void (isGone = true);
  }, [name]);
  const term = glossary !== null && glossary !== 'missing' ? glossary[name] : undefined;
  return (
    <>
      <strong className="term-title">{term?.title ?? words}</strong>
      <span className="term-text">
        {term
          ? parsePassage(term.text).map((part, at) =>
              part.kind === 'term' ? (
                <button key={at} type="button" className="term-link" onClick={() => onTerm(part.term)}>
                  {part.words}
                </button>
              ) : (
                part.kind === 'words' && part.words
              ),
            )
          : glossary === null
            ? 'The glossary is loading …'
            : 'The glossary could not be loaded. Look whether you are online, and open it again.'}
      </span>
    </>
  );
}

interface TermProps {
  readonly name: string; // in the glossary
  readonly children: ReactNode; // as it is called here
}

export function Term({ name, children }: TermProps) {
  const id = useId();
  const words = useRef<HTMLButtonElement>(null);
  const popover = useRef<HTMLDivElement>(null);
  const [shown, setShown] = useState<string | null>(null); // a term within the text may take its place
  const arrange = (): void => {
    if (popover.current && words.current) place(popover.current, words.current);
  };
  return (
    <>
      <button ref={words} type="button" className="term-link" popoverTarget={id}>
        {children}
      </button>
      <span
        ref={popover}
        id={id}
        popover="auto"
        role="note"
        className="term-note"
        onToggle={(event) => {
          if (event.newState === 'open') setShown(name);
          arrange();
        }}
      >
        {shown !== null && <TermText name={shown} words={children} onTerm={setShown} onArrived={arrange} />}
      </span>
    </>
  );
}

/** A label; the term that it names is underlined. Within a button, which has its own press, the term is only listed. */
export function Label({ children }: { readonly children: string }) {
  const found = termIn(children);
  if (!found) return children;
  return (
    <>
      {children.slice(0, found.from)}
      <dfn className="term-word" data-term={found.term}>
        {children.slice(found.from, found.to)}
      </dfn>
      {children.slice(found.to)}
    </>
  );
}

/** The note of a pressed label, one for the page. */
export function LabelNote() {
  const popover = useRef<HTMLDivElement>(null);
  const word = useRef<Element>(null);
  const [shown, setShown] = useState<string | null>(null);
  const arrange = (): void => {
    if (popover.current && word.current) place(popover.current, word.current);
  };
  useEffect(() => {
    const open = (event: MouseEvent): void => {
      if (!(event.target instanceof Element)) return;
      const pressed = event.target.closest<HTMLElement>('.term-word');
      const name = pressed?.dataset.term;
      if (!pressed || name === undefined || pressed.closest('button, summary')) return;
      event.preventDefault(); // of a control that the label is of
      event.stopPropagation();
      word.current = pressed;
      setShown(name);
      popover.current?.showPopover();
      arrange();
    };
    document.addEventListener('click', open, true);
    return () => document.removeEventListener('click', open, true);
  }, []);
  return (
    <div ref={popover} popover="auto" role="note" className="term-note">
      {shown !== null && <TermText name={shown} words={shown} onTerm={setShown} onArrived={arrange} />}
    </div>
  );
}

/** Terms that labels on screen name, in order, once each; the one that is focused or under the pointer first. */
function termsOnScreen(): readonly string[] {
  const shown = [...document.querySelectorAll<HTMLElement>('[data-term]')].filter((element) => element.checkVisibility()); // prettier-ignore
  const isMeant = (element: HTMLElement): boolean =>
    element.matches(':hover') || element.closest('button') === document.activeElement;
  const meant = shown.filter(isMeant);
  return [...new Set([...meant, ...shown].flatMap(({ dataset: { term } }) => term ?? []))];
}

/** All terms on screen, as a dialog. */
export function TermList({ onClose }: { readonly onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [terms, setTerms] = useState(termsOnScreen);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} className="key-help term-list" aria-labelledby="term-list-title" onClose={onClose}>
      <form method="dialog" className="section-head">
        <h2 id="term-list-title">Terms on screen</h2>
        <button type="submit">Close</button>
      </form>
      {terms.length === 0 && <p>No label of this view names a term of the glossary.</p>}
      <ul>
        {terms.map((term) => (
          <li key={term}>
            <TermText
              name={term}
              words={term}
              onTerm={(name) => setTerms([name, ...terms.filter((other) => other !== name)])}
            />
          </li>
        ))}
      </ul>
    </dialog>
  );
}
