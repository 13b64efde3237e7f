/** Places of the clip sliders: logarithmic, since bands run from 0.0003 (turn ratios) to 0.3 (token ratios). Pure. */

/** Last place of a slider; place 0 is ε = 0. */
export const CLIP_SLIDER = 100;
const LEAST = 1e-5;
const MOST = 1;

export const clipOfSlider = (place: number): number =>
  place <= 0 ? 0 : LEAST * (MOST / LEAST) ** ((place - 1) / (CLIP_SLIDER - 1));

export function sliderOfClip(clip: number): number {
  if (clip <= 0) return 0;
  const place = 1 + ((CLIP_SLIDER - 1) * Math.log(clip / LEAST)) / Math.log(MOST / LEAST);
  return Math.min(CLIP_SLIDER, Math.max(1, Math.round(place)));
}
