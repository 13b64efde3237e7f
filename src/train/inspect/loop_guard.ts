/**
 * Finds a loop that does not end without running it to no end: the text is run once with a count in every loop, which
 * leaves it after so many rounds and writes down its line. A kernel that never ends cannot be stopped by a page; on a
 * software adapter it takes the threads of every device of the browser.
 */
import { kernels } from '../../../shaders/index.ts';
import type { Gpu } from '../../gpu/device.ts';
import { ShaderCompileError } from '../../gpu/errors.ts';
import type { KernelCase } from '../../gpu/kernel.ts';
import { runOnce } from '../../gpu/kernel_check.ts';
import type { AnyKernel } from '../../gpu/pipelines.ts';
import { EndlessLoopError } from '../engine/errors.ts';

/** Of one invocation, all loops together. */
export const MOST_ROUNDS = 1_000_000;
const FLAG = 'turnwiseEndless'; // line of a loop that was left; 0: none
const ROUNDS = 'turnwiseRounds';

const blank = (text: string): string => text.replace(/[^\n]/g, ' ');
/** Comments as spaces, so that places stay. WGSL's block comments nest; an inner one ends here too early, in the rest of a comment. */
const withoutComments = (source: string): string => source.replace(/\/\/.*|\/\*[\s\S]*?\*\//g, blank);

/** Where the body of each loop begins: the place after its brace. */
function loopBodies(source: string): readonly number[] {
  const code = withoutComments(source);
  return [...code.matchAll(/\b(?:loop|while|for)\b/g)].flatMap(({ index }) => {
    let depth = 0; // of parentheses: a for's header may hold calls
    for (let at = index; at < code.length; at += 1) {
      if (code[at] === '(') depth += 1;
      else if (code[at] === ')') depth -= 1;
      else if (code[at] === '{' && depth === 0) return [at + 1];
      else if (code[at] === ';' && depth === 0) return []; // no loop after all
    }
    return [];
  });
}

/** @returns the text with its loops counted, lines as they were; null where it has none */
export function withCountedLoops(source: string, binding: number): string | null {
  const bodies = loopBodies(source);
  if (bodies.length === 0) return null;
  const counted = bodies.toReversed().reduce((text, at) => {
    const line = source.slice(0, at).split('\n').length;
    const count = ` ${ROUNDS} += 1u; if (${FLAG}[0] != 0u) { break; } if (${ROUNDS} > ${MOST_ROUNDS}u) { ${FLAG}[0] = ${line}u; break; }`; // one that was left is enough: the others leave at once
    return text.slice(0, at) + count + text.slice(at);
  }, source);
  return `${counted}\nvar<private> ${ROUNDS}: u32;\n@group(0) @binding(${binding}) var<storage, read_write> ${FLAG}: array<u32>;\n`;
}

/**
 * The line of a loop of a text of policy_loss that does not end on these cases; null where all end. Null too where the
 * counts cannot be put in, as round a barrier: the check's limit of time then has to do.
 */
export async function endlessLoop(
  gpu: Gpu,
  source: string,
  cases: readonly KernelCase[],
): Promise<number | null> {
  const { policy_loss: own } = kernels;
  const counted = withCountedLoops(source, own.bindings.length + 1); // params have binding 0
  if (counted === null) return null;
  const bindings = [...own.bindings, { name: FLAG, type: 'u32', access: 'write' } as const];
  const kernel: AnyKernel = { ...own, source: counted, bindings };
  try {
    for (const testCase of cases) {
      const buffers = { ...testCase.buffers, [FLAG]: new Uint32Array(1) };
      const { [FLAG]: flag } = await runOnce(gpu, kernel, { ...testCase, buffers });
      if (flag[0] !== 0) return flag[0];
    }
  } catch (error) {
    if (!(error instanceof ShaderCompileError)) throw error;
  }
  return null;
}

/** What an endless loop is called beside its line. */
export const ENDLESS = `This loop does not end: it was left after ${MOST_ROUNDS.toLocaleString('en-US')} rounds of one invocation.`;

/** @throws EndlessLoopError for a text that does not end on the catalogue's cases */
export async function refuseEndless(gpu: Gpu, source: string): Promise<void> {
  const line = await endlessLoop(gpu, source, kernels.policy_loss.cases());
  if (line !== null) throw new EndlessLoopError(line, source.split('\n')[line - 1].trim());
}
