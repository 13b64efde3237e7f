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

/** Rules whose findings axe calls minor or moderate, whatever they find (4.14). */
const OF_LITTLE_IMPACT = [
  ...['aria-allowed-role', 'aria-deprecated-role', 'empty-heading', 'empty-table-header', 'heading-order'],
  ...['form-field-multiple-labels', 'image-redundant-alt', 'landmark-banner-is-top-level', 'landmark-unique'],
  ...['landmark-complementary-is-top-level', 'landmark-contentinfo-is-top-level', 'landmark-one-main'],
  ...['landmark-main-is-top-level', 'landmark-no-duplicate-banner', 'landmark-no-duplicate-contentinfo'],
  ...['landmark-no-duplicate-main', 'page-has-heading-one', 'presentation-role-conflict', 'region'],
  ...['scope-attr-valid', 'skip-link', 'table-duplicate-name'],
];

/** Of these, what axe calls serious or critical; rules that find nothing such are not run. */
export async function seriousFindings(element: Element): Promise<readonly string[]> {
  const rules = Object.fromEntries(OF_LITTLE_IMPACT.map((rule) => [rule, { enabled: false }]));
  const lines = await found(element, { rules });
  return lines.filter((line) => /^\S+ \((serious|critical)\)/.test(line));
}
