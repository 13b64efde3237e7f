import type { Sources } from './import.d.mts';

/** `npm run experiment`. @throws Error, ExperimentError of an experiment that is none */
export function experimentCommand(
  args: readonly string[],
  sources?: (work: (opened: { readonly server: Pick<Sources, 'ssrLoadModule'> }) => Promise<void>) => Promise<void>, // prettier-ignore
): Promise<void>;
