/** A term of the field, explained in place: a button whose words open what the glossary says; Esc or a click elsewhere closes it. */
import { useId, useRef, useState, type ReactNode } from 'react';
import { loadGlossary } from '../../lessons/catalogue.ts';
import type { Glossary } from '../../lessons/lesson.ts';
import { parsePassage } from '../../store/lesson/passage.ts';

const MARGIN = 8; // px from the edge of the window

/** Below its words, or above where there is more room; never beyond the window. */
function place(popover: HTMLElement, words: HTMLElement): void {
  const { left, top, bottom } = words.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = popover;
  const x = Math.max(MARGIN, Math.min(left, innerWidth - width - MARGIN));
  const below = bottom + height + MARGIN <= innerHeight || top < height + MARGIN;
  popover.style.left = `${x}px`;
  popover.style.top = `${Math.max(MARGIN, below ? bottom + 4 : top - height - 4)}px`;
}

interface TermProps {
  readonly name: string; // in the glossary
  readonly children: ReactNode; // as it is called here
}

export function Term({ name, children }: TermProps) {
  const id = useId();
  const words = useRef<HTMLButtonElement>(null);
  const popover = useRef<HTMLDivElement>(null);
  const [shown, setShown] = useState(name); // a term within the text may take its place
  const [glossary, setGlossary] = useState<Glossary | 'missing' | null>(null);
  const arrange = (): void => {
    if (popover.current && words.current) place(popover.current, words.current);
  };
  const open = (): void => {
    setShown(name);
    loadGlossary('en').then(setGlossary, () => setGlossary('missing')).finally(() => requestAnimationFrame(arrange)); // prettier-ignore
  };
  const term = glossary !== null && glossary !== 'missing' ? glossary[shown] : undefined;
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
          if (event.newState === 'open') open();
          arrange();
        }}
      >
        <strong className="term-title">{term?.title ?? children}</strong>
        <span className="term-text">
          {term
            ? parsePassage(term.text).map((part, at) =>
                part.kind === 'term' ? (
                  <button
                    key={at}
                    type="button"
                    className="term-link"
                    onClick={() => {
                      setShown(part.term);
                      requestAnimationFrame(arrange);
                    }}
                  >
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
      </span>
    </>
  );
}
