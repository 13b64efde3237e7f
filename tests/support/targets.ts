/** Controls that a finger would miss (WCAG 2.5.8). */

/** Controls smaller than 24 px that stand neither in text nor on their own line of a label. */
export function smallTargets(root: Element): readonly string[] {
  return [...root.querySelectorAll<HTMLElement>('button, select, summary, input')]
    .filter(
      (element) =>
        element.checkVisibility() && !element.closest('.transcript, .formula, label, .visually-hidden'),
    )
    .map((element) => ({ element, box: element.getBoundingClientRect() }))
    .filter(({ box }) => box.width < 24 || box.height < 23.5)
    .map(
      ({ element, box }) =>
        `${element.outerHTML.slice(0, 90)} ${box.width.toFixed(0)}×${box.height.toFixed(0)}`,
    );
}
