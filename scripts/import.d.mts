/** What a loader of the lab's modules is to a command; Vite's server is one. */
export interface Sources {
  ssrLoadModule(path: string): Promise<unknown>;
  close(): Promise<void>;
}
/** `npm run import`: says what is in the files that `args` name, and sets the exit code of the process. */
export function importRollouts(args: readonly string[], sources?: () => Promise<Sources>): Promise<void>;
