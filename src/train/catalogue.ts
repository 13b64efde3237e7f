/** What there is to choose from, as the `ready` event tells it. */
import { EVIDENCE, FAMILIES, type Algorithm } from '../algo/algorithm.ts';
import { algorithms } from '../algo/index.ts';
import { environments } from '../env/index.ts';
import type { Environment } from '../units.ts';
import { describeKnobs } from './knobs.ts';
import { presets, type Preset } from './presets.ts';
import type {
  AlgorithmDescription,
  CatalogueEntry,
  EnvironmentDescription,
  KnobDescription,
} from './protocol.ts';

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
