/** A paragraph of a lesson: its terms open the glossary, its numbers are the lab's own. */
import { useStore } from 'zustand';
import { evaluate, type Ground, type Quantity } from '../../store/lesson/expression.ts';
import { stateOf } from '../../store/lesson/lesson.ts';
import { parsePassage } from '../../store/lesson/passage.ts';
import { useLab, useSelection } from '../parts/binding.ts';
import {
  formatCount,
  formatNats,
  formatNumber,
  formatRatio,
  formatShare,
  formatSigned,
} from '../parts/format.ts';
import { Term } from '../parts/Term.tsx';
import { useMemo } from 'react';

/** As the lab prints it: credit with its sign, whole rewards without digits. */
export function formatQuantity({ value, kind }: Pick<Quantity, 'value' | 'kind'>): string {
  switch (kind) {
    case 'signed':
      return formatSigned(value);
    case 'fine':
      return formatSigned(value, 5);
    case 'weight':
      return formatNumber(value, 6);
    case 'ratio':
      return formatRatio(value);
    case 'plain':
      return formatNumber(value, value !== null && Number.isInteger(value) ? 0 : 2);
    case 'nats':
      return formatNats(value);
    case 'count':
      return value === null ? '–' : formatCount(value);
    case 'share':
      return formatShare(value);
  }
}

/** Where the numbers of the step on screen are read: its own state, whatever the person does in the lab meanwhile. */
export function useGround(): Ground | null {
  const { lessons, run } = useLab();
  const { lesson, name, ground, needs } = useStore(lessons);
  const step = useSelection(({ lessonStep }) => lessonStep);
  const state = useStore(ground?.record ?? run);
  return useMemo(() => {
    if (!lesson || name === null || ground?.step !== Math.min(step, lesson.steps.length - 1)) return null;
    if (state.updates.length < needs) return null; // the recording is still on its way
    return { run: state, selection: stateOf(lesson, name, ground.step, state) };
  }, [lesson, name, ground, needs, step, state]);
}

interface PassageProps {
  readonly text: string;
  readonly ground: Ground | null;
  readonly plain?: boolean; // terms are words: nothing to press
}

export function Passage({ text, ground, plain = false }: PassageProps) {
  const { selection } = useLab();
  const parts = useMemo(() => parsePassage(text), [text]);
  return parts.map((part, at) => {
    if (part.kind === 'words' || (plain && part.kind === 'term')) return part.words;
    if (part.kind === 'term')
      return (
        <Term key={at} name={part.term}>
          {part.words}
        </Term>
      );
    const quantity = ground && evaluate(part.expression, ground);
    return (
      <data
        key={at}
        className="number lesson-number"
        value={quantity?.value ?? ''}
        title={part.expression}
        onPointerEnter={() => selection.select({ hovered: quantity?.node ?? null })}
        onPointerLeave={() => selection.select({ hovered: null })}
      >
        {quantity ? formatQuantity(quantity) : '…'}
      </data>
    );
  });
}
