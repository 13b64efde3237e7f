import axe, { type RunOptions } from 'axe-core';

/** Everything that axe finds, of any impact, as lines a person can act on. */
export const findings = (element: Element): Promise<readonly string[]> => found(element, {});

/** The rules that read colours: in another theme all others give the same answers, and these are half of the work. */
const OF_COLOURS = ['color-contrast', 'link-in-text-block'];

/** What of it depends on the theme. */
export const colourFindings = (element: Element): Promise<readonly string[]> =>
  found(element, { runOnly: { type: 'rule', values: OF_COLOURS } });

async function found(element: Element, options: RunOptions): Promise<readonly string[]> {
  const { violations } = await axe.run(element, { ...options, resultTypes: ['violations'] });
  return violations.flatMap(({ id, impact, nodes }) =>
    nodes.map((node) => `${id} (${impact}): ${node.html.slice(0, 160)} ${node.failureSummary ?? ''}`),
  );
}

/** Of these, what axe calls serious or critical. */
export async function seriousFindings(element: Element): Promise<readonly string[]> {
  return (await findings(element)).filter((line) => /^\S+ \((serious|critical)\)/.test(line));
}
