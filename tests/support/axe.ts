/** Everything that axe finds, of any impact, as lines a person can act on. */
import axe from 'axe-core';

export async function findings(element: Element): Promise<readonly string[]> {
  const { violations } = await axe.run(element, { resultTypes: ['violations'] });
  return violations.flatMap(({ id, impact, nodes }) =>
    nodes.map((node) => `${id} (${impact}): ${node.html.slice(0, 160)} ${node.failureSummary ?? ''}`),
  );
}

/** Of these, what axe calls serious or critical. */
export async function seriousFindings(element: Element): Promise<readonly string[]> {
  return (await findings(element)).filter((line) => /^\S+ \((serious|critical)\)/.test(line));
}
