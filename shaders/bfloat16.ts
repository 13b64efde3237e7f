/**
 * bfloat16, float32 without its lower 16 bits, stored two to a u32, the first in the lower half. Kernels compute in
 * float32: every kernel that reads weights has a twin `…_bf16` whose text is its own with one binding's loads widened.
 */
import type { Kernel, ParamFields } from '../src/gpu/kernel.ts';

const HIGH = 0xffff0000;

/** The nearest bfloat16 of every value, ties to even, two to a word. NaN stays NaN; an odd count ends in a zero. */
export function packBfloat16(values: Float32Array): Uint32Array<ArrayBuffer> {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const words = new Uint32Array(Math.ceil(values.length / 2));
  const halves = new Uint16Array(words.buffer); // little-endian like every WebGPU platform
  bits.forEach((word, index) => {
    const upper = word >>> 16;
    const isNaN = (word & 0x7fffffff) > 0x7f800000;
    halves[index] = isNaN ? upper | 0x40 : (word + 0x7fff + (upper & 1)) >>> 16;
  });
  return words;
}

/** The float32 values of packed bfloat16, exactly. */
export function widenBfloat16(words: Uint32Array): Float32Array<ArrayBuffer> {
  const bits = new Uint32Array(2 * words.length);
  words.forEach((word, index) => {
    bits[2 * index] = word << 16;
    bits[2 * index + 1] = word & HIGH;
  });
  return new Float32Array(bits.buffer);
}

/** Element type of a binding in float32 → the words that hold as many bfloat16, and what widens them. */
const LOADS: Readonly<Record<string, readonly [words: string, body: string]>> = {
  f32: ['u32', 'return bitcast<f32>(select(w[i / 2u] << 16u, w[i / 2u] & 0xffff0000u, i % 2u == 1u));'],
  vec4f: [
    'vec2u',
    'let p = w[i]; return bitcast<vec4f>(vec4u(p.x << 16u, p.x & 0xffff0000u, p.y << 16u, p.y & 0xffff0000u));',
  ],
};

/**
 * The text of a kernel with a binding in bfloat16: its declaration, and every load of it, `b[i]`, becomes `bAt(i)`.
 * @throws Error where the text does not declare the binding as it must, or reads it in a way that is not understood
 */
function inBfloat16(name: string, source: string, binding: string): string {
  const declaration = new RegExp(`(var<storage, read> ${binding}: array<)(f32|vec4f)(>;)`);
  const type = declaration.exec(source)?.[2];
  if (!type) throw new Error(`${name}.wgsl does not read ${binding} as array<f32> or array<vec4f>`);
  const [words, body] = LOADS[type];
  const load = new RegExp(`\\b${binding}\\[([^[\\]]*)\\]`, 'g');
  const lines = source.split('\n').map((line) => {
    const comment = line.indexOf('//');
    const code = comment < 0 ? line : line.slice(0, comment);
    const widened = code.replace(declaration, `$1${words}$3`).replace(load, `${binding}At($1)`);
    if (new RegExp(`\\b${binding}\\[`).test(widened)) throw new Error(`${name}.wgsl reads ${line.trim()}`);
    return widened + line.slice(code.length);
  });
  lines[0] = lines[0].replace(name, `${name}_bf16`);
  const loader = `fn ${binding}At(i: u32) -> ${type} { ${body.replaceAll('w[', `${binding}[`)} }`;
  return [
    ...lines,
    `// ${binding} holds bfloat16, two to a u32; element i of ${type} as it is where ${binding} holds f32.`,
    loader,
    '',
  ].join('\n');
}

/**
 * The twin of a kernel that reads one binding as bfloat16: `<name>_bf16`. Its cases are the kernel's own on rounded values.
 * @param faster the faster kernel's twin
 */
export function readsBfloat16<P extends ParamFields>(
  kernel: Kernel<P>,
  binding: string,
  faster?: Kernel<P>,
): Kernel<P> {
  const { name, bindings, cases } = kernel;
  return {
    ...kernel,
    name: `${name}_bf16`,
    source: inBfloat16(name, kernel.source, binding),
    bindings: bindings.map((entry) => (entry.name === binding ? { ...entry, type: 'u32' } : entry)),
    faster,
    onCards: undefined,
    tunable: undefined, // timed with the first visit: not for models that few will load
    cases: () =>
      cases().map((testCase) => {
        const values = testCase.buffers[binding] as Float32Array<ArrayBuffer>; // the binding was float32
        const words = packBfloat16(values);
        values.set(widenBfloat16(words).subarray(0, values.length)); // in place: the case's oracle reads this array
        return { ...testCase, buffers: { ...testCase.buffers, [binding]: words } };
      }),
  };
}
