/** Numbers that move: a frame on its way to the next one when rules or rewards change under it. */
import { useLayoutEffect, useRef, useState } from 'react';
import type { AdvantageRanges } from '../../store/advantage_range.ts';
import type { CreditFrame } from '../../store/credit_steps.ts';
import type { NodeTable } from '../../units.ts';

const GLIDE_MS = 450;
const GLIDE_LIMIT = 400; // nodes; more are painted at once

const mix = (from: NodeTable<number | null>, to: NodeTable<number | null>, share: number) =>
  to.map((value, id) => {
    const start = from[id] ?? null;
    return value === null || start === null ? value : start + (value - start) * share;
  });

const mixRanges = (from: AdvantageRanges, to: AdvantageRanges, share: number): AdvantageRanges => {
  const ends = ([0, 1] as const).map((end) =>
    mix(
      from.map((range) => range?.[end] ?? null),
      to.map((range) => range?.[end] ?? null),
      share,
    ),
  );
  return to.map((range, id) => range && [ends[0][id] ?? range[0], ends[1][id] ?? range[1]]);
};

/** Between two frames of one tree; what is not known in both is that of `to`. @param share [0, 1] */
export const between = (from: CreditFrame, to: CreditFrame, share: number): CreditFrame =>
  share >= 1
    ? to
    : {
        ...to,
        rewards: mix(from.rewards, to.rewards, share),
        normalised: mix(from.normalised, to.normalised, share),
        values: mix(from.values, to.values, share),
        advantages: mixRanges(from.advantages, to.advantages, share),
      };

/** Fast at first, then settling. */
export const easeOut = (share: number): number => 1 - (1 - Math.min(1, Math.max(0, share))) ** 3;

interface Place {
  readonly tree: unknown;
  readonly drawn: CreditFrame;
}

/** The same phase of the same tree, and nobody stepped: credit itself has changed. */
const isSamePlace = (from: Place, to: Place): boolean =>
  from.tree === to.tree &&
  from.drawn !== to.drawn &&
  from.drawn.current?.phase === to.drawn.current?.phase &&
  (from.drawn.cursor === to.drawn.cursor || from.drawn.length !== to.drawn.length);

const movesLess = (): boolean => matchMedia('(prefers-reduced-motion: reduce)').matches;

/**
 * The frame as it is drawn. A step of the cursor shows at once; other credit at the same phase glides there, unless
 * the person asks for less motion.
 * @param tree what the frames are of: another tree never glides
 */
export function useGlide(tree: unknown, frame: CreditFrame | null): CreditFrame | null {
  const [glide, setGlide] = useState<{ readonly to: CreditFrame; readonly drawn: CreditFrame } | null>(null);
  const last = useRef<Place | null>(null);
  useLayoutEffect(() => {
    const from = last.current;
    const show = (drawn: CreditFrame): void => {
      last.current = { tree, drawn };
      if (frame) setGlide({ to: frame, drawn });
    };
    if (!frame) return;
    const still = frame.values.length > GLIDE_LIMIT || movesLess();
    if (!from || still || !isSamePlace(from, { tree, drawn: frame })) {
      last.current = { tree, drawn: frame };
      return;
    }
    const start = performance.now();
    const { drawn: origin } = from;
    let request = 0;
    const paint = (now: number): void => {
      const share = (now - start) / GLIDE_MS;
      show(between(origin, frame, easeOut(share)));
      if (share < 1) request = requestAnimationFrame(paint);
    };
    show(between(origin, frame, 0));
    request = requestAnimationFrame(paint);
    return () => cancelAnimationFrame(request);
  }, [tree, frame]);
  return glide !== null && glide.to === frame ? glide.drawn : frame;
}
