/** What a loader of the lab's modules is to a command; Vite's server is one. */
export interface Sources {
  ssrLoadModule(path: string): Promise<unknown>;
}
/** `npm run experiment`. @throws Error, ExperimentError of an experiment that is none */
export function experimentCommand(
  args: readonly string[],
  sources?: (work: (opened: { readonly server: Sources }) => Promise<void>) => Promise<void>,
): Promise<void>;
