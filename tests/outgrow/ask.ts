/** Asks the Python files of the verl folder, through check.py. */
import { execFile, spawnSync } from 'node:child_process';

/**
 * python3 is part of every Linux that runs this suite (.ci/run installs it), so there it is wanted. Elsewhere the suite runs on
 * people's own machines for the page and its numbers: the folder is for a cluster, and its check is left to Linux.
 */
const python = spawnSync('python3', ['--version'], { encoding: 'utf8' });
export const hasPython = python.status === 0;
export const isWanted = process.platform === 'linux' || hasPython;
if (!isWanted) console.warn('python3 is not here: the Python files of the verl folder were not checked.');

export interface Answers {
  readonly losses: readonly { readonly losses: number[][]; readonly gradient: number[][]; readonly whole: number; readonly metrics: Record<string, number> }[]; // prettier-ignore
  readonly credit: readonly (readonly (readonly number[])[])[];
  readonly rules: readonly string[];
  readonly episodes: readonly string[];
  readonly scores: readonly unknown[];
  readonly grown: readonly { readonly parent: readonly (number | null)[]; readonly root_of: readonly number[]; readonly rounds: readonly (readonly number[])[]; readonly rows: readonly number[] }[]; // prettier-ignore
  readonly loops: readonly (readonly LoopRow[])[];
  readonly entropies: readonly number[];
  readonly heard: number;
  readonly spared: readonly (readonly number[])[];
}

/** A row of the folder's agent loop: its tokens, the nodes that it came from, and what the trainer gives each. */
interface LoopRow {
  readonly uid: string;
  readonly path: readonly number[];
  readonly tokens: readonly number[]; // sampled, by node of the path
  readonly surprisal: readonly number[];
  readonly turns: readonly number[]; // advantages, by node of the path
  readonly response: readonly number[];
  readonly mask: readonly number[];
  readonly logProbs: readonly number[];
  readonly advantages: readonly number[];
  readonly root_of: number; // which of the prompt's trees
  readonly reward: number;
  readonly score: number;
}

/** What check.py says of some cases. @throws Error where there is no python3, or where the files of the folder fail */
export function ask(question: object, ...options: readonly string[]): Promise<Answers> {
  if (!hasPython) throw new Error('python3 was not found: got no python3 on the PATH, wanted Python 3.8 or newer to check the files of the verl folder. Install it (apt-get install python3) and run the tests again.'); // prettier-ignore
  return new Promise((resolve, reject) => {
    const child = execFile('python3', ['tests/outgrow/check.py', ...options], { maxBuffer: 2 ** 27 }, (error, stdout, stderr) => {
      if (error) reject(new Error(`check.py failed: ${stderr}`));
      else resolve(JSON.parse(stdout) as Answers);
    }); // prettier-ignore
    child.stdin!.end(JSON.stringify(question));
  });
}

/** No case of any kind. */
export const nothing = { losses: [], credit: [], rows: [], scores: [], grown: [], loops: [], entropies: [], spared: [] }; // prettier-ignore
