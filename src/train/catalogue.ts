/** What there is to choose from, as the `ready` event tells it. */
import { algorithms } from '../algo/index.ts';
import { environments } from '../env/index.ts';
import type { AlgorithmConfig, Environment } from '../units.ts';
import { describeKnobs } from './knobs.ts';
import { presets, type Preset } from './presets.ts';
import type { CatalogueEntry, EnvironmentDescription, KnobDescription } from './protocol.ts';

const entry = ({ name, title, description }: CatalogueEntry): CatalogueEntry => ({
  name,
  title,
  description,
});

export const algorithmCatalogue = (): readonly (CatalogueEntry & { readonly config: AlgorithmConfig })[] =>
  Object.values(algorithms).map((algorithm) => ({ ...entry(algorithm), config: algorithm.config }));

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
