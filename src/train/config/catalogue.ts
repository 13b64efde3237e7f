/** What there is to choose from, as the `ready` event tells it. */
import { ADVANTAGE_RULE, EVIDENCE, FAMILIES, type Algorithm } from '../../algo/catalogue/algorithm.ts';
import { algorithms } from '../../algo/catalogue/index.ts';
import { environments } from '../../env/index.ts';
import type {
  AlgorithmDescription,
  CatalogueEntry,
  EnvironmentDescription,
  KnobDescription,
} from '../../protocol/protocol.ts';
import type { Environment } from '../../units.ts';
import { describeKnobs } from './settings.ts';
import { presets, type Preset } from './presets.ts';

const entry = ({ name, title, description }: CatalogueEntry): CatalogueEntry => ({
  name,
  title,
  description,
});

function describeAlgorithm(algorithm: Algorithm): AlgorithmDescription {
  const { paper, evidence, caution, config, sources, differences } = algorithm;
  const said = { paper, caution, config, sources, differences };
  const verified = evidence === 'reference';
  return {
    ...entry(algorithm),
    ...said,
    family: FAMILIES[algorithm.family],
    evidence: EVIDENCE[evidence],
    verified,
  };
}

export const algorithmCatalogue = (): readonly AlgorithmDescription[] =>
  Object.values<Algorithm>(algorithms).map(describeAlgorithm);

/** The data of an environment that the page needs; its functions stay in the engine. */
export const describeEnvironment = (environment: Environment): EnvironmentDescription => ({
  ...entry(environment),
  vocabulary: environment.vocabulary,
  stopTokens: environment.stopTokens,
  datasets: environment.datasets,
  contextLength: environment.contextLength,
  callLimit: environment.callLimit,
});

export const environmentCatalogue = (): readonly EnvironmentDescription[] =>
  Object.values(environments).map(describeEnvironment);

export const presetCatalogue = (): readonly Preset[] => [...presets.values()];

export const knobCatalogue = (): readonly KnobDescription[] => {
  const datasets = Object.values(environments).flatMap(
    (environment): readonly string[] => environment.datasets,
  );
  return describeKnobs({ environments: Object.keys(environments), datasets: [...new Set(datasets)] });
};

// The README's table of methods, made from the catalogue. `npm run methods` writes it, a test compares it.

const MARK = { start: '<!-- methods: npm run methods -->', end: '<!-- end of methods -->' } as const;

const plain = (text: string): string => text.replaceAll('_', ' ');

function lossOf({ config: { loss } }: AlgorithmDescription): string {
  if (loss.surrogate === 'none') return 'none';
  if (loss.surrogate !== 'clip') return loss.surrogate === 'gate' ? 'gate, token ratio' : loss.surrogate;
  const soft = loss.upperEdge === 'soft' ? (loss.lowerEdge === 'soft' ? ', soft' : ', soft above') : '';
  return `clip${soft}, ${loss.ratioLevel} ratio`;
}

function row(method: AlgorithmDescription): string {
  const { name, title, paper, config, verified, caution } = method;
  const rule = ADVANTAGE_RULE.options.find(({ value }) => value === config.credit.advantageRule);
  const source =
    paper.arxiv === null ? paper.title : `[${paper.arxiv}](https://arxiv.org/abs/${paper.arxiv})`;
  const proof = verified ? 'golden numbers' : caution ? 'own derivation; parts uncertain' : 'own derivation';
  const cells = [
    `\`${name}\``,
    title,
    source,
    plain(config.rollout.shape),
    rule?.title,
    lossOf(method),
    proof,
  ];
  return `| ${cells.join(' | ')} |`;
}

/** One line per method: parts, paper, and what its numbers were checked against. */
export function methodsTable(): string {
  const head = '| name | method | paper | rollout | advantage | loss | checked against |';
  return [head, '|---|---|---|---|---|---|---|', ...algorithmCatalogue().map(row)].join('\n');
}

/**
 * A README with its table of methods up to date.
 * @throws Error when the marks are missing
 */
export function withMethodsTable(readme: string): string {
  const [before, rest] = readme.split(MARK.start);
  const after = rest?.split(MARK.end)[1];
  if (after === undefined) throw new Error(`README.md: wanted ${MARK.start} … ${MARK.end} round the table`);
  return `${before}${MARK.start}\n\n${methodsTable()}\n\n${MARK.end}${after}`;
}
