/** A command line within this process: a process of its own loads all sources anew, which takes most of its time. */
import { vi } from 'vitest';

/** What a process that ran it would have said, and its exit status. */
export interface Said {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

class Exit extends Error {}

/** Stands in for Vite's server in commands: loads the lab's modules as the tests do. */
export const sources = {
  ssrLoadModule: (path: string): Promise<unknown> => import(/* @vite-ignore */ path),
  close: (): Promise<void> => Promise.resolve(),
};

/** @throws what the command throws */
export async function saidBy(command: () => Promise<void>): Promise<Said> {
  const [stdout, stderr]: [string[], string[]] = [[], []];
  let status: number | undefined;
  const before = process.exitCode;
  process.exitCode = undefined;
  const stands = [
    vi.spyOn(console, 'log').mockImplementation((text: string) => void stdout.push(`${text}\n`)),
    vi.spyOn(console, 'error').mockImplementation((text: string) => void stderr.push(`${text}\n`)),
    vi.spyOn(process, 'exit').mockImplementation((code) => {
      status ??= Number(code ?? 0); // the first ends a process
      throw new Exit();
    }),
  ];
  try {
    await command();
  } catch (error) {
    if (!(error instanceof Exit)) throw error;
  } finally {
    status ??= Number(process.exitCode ?? 0);
    process.exitCode = before;
    for (const each of stands) each.mockRestore();
  }
  return { status, stdout: stdout.join(''), stderr: stderr.join('') };
}
