/** Compares what a kernel.ts file says with its WGSL text: what a text must keep for the programs to run it. */
import type { KernelText } from './pipelines.ts';

/** Every disagreement in words; empty when there is none. */
export function contractDifferences(kernel: KernelText): string[] {
  const wgsl = kernel.source.replace(/\/\/[^\n]*/g, '').replace(/\/\*[^]*?\*\//g, '');
  return [
    ...checkEntryPoint(wgsl),
    ...differences('bindings', wgslBindings(wgsl), specBindings(kernel)),
    ...differences(
      'Params',
      wgslParams(wgsl),
      Object.entries(kernel.params).map(([name, type]) => `${name}: ${type}`),
    ),
    ...differences(
      'overrides',
      wgslOverrides(wgsl),
      Object.entries(kernel.overrides).map(([name, value]) => `${name} = ${value}`),
    ),
    ...checkConstants(kernel, wgsl),
  ];
}

function checkEntryPoint(wgsl: string): string[] {
  const entryPoints = [...wgsl.matchAll(/@compute[^{]*?fn\s+(\w+)/g)].map(([, name]) => name);
  if (entryPoints.join() === 'main') return [];
  return [`entry points: ${entryPoints.join(', ') || 'none'}, wanted one called main`];
}

function differences(what: string, inWgsl: readonly string[], inSpec: readonly string[]): string[] {
  const same = inWgsl.join('; ') === inSpec.join('; ');
  return same ? [] : [`${what}: the WGSL has [${inWgsl.join('; ')}], the contract [${inSpec.join('; ')}]`];
}

const specBindings = ({ bindings }: KernelText): string[] => [
  '0 params uniform',
  ...bindings.map(({ name, type, access }, index) => `${index + 1} ${name} ${access} ${type}`),
];

function wgslBindings(wgsl: string): string[] {
  const pattern = /@group\(0\)\s*@binding\((\d+)\)\s*var<([^>]+)>\s*(\w+)\s*:\s*([^;]+);/g;
  return [...wgsl.matchAll(pattern)].map(([, binding, space, name, type]) => {
    if (space.trim() === 'uniform') return `${binding} ${name} uniform`;
    const access = space.includes('read_write') ? 'write' : 'read';
    return `${binding} ${name} ${access} ${elementType(type)}`;
  });
}

/** The scalar that a storage type is made of: array<vec4f> → f32. */
function elementType(type: string): string {
  const scalar = /\b(f32|u32|i32)\b|vec[234]([fui])/.exec(type);
  if (!scalar) return type;
  return scalar[1] ?? `${scalar[2]}32`;
}

function wgslParams(wgsl: string): string[] {
  const body = /struct\s+Params\s*\{([^}]*)\}/.exec(wgsl)?.[1] ?? '';
  return [...body.matchAll(/(\w+)\s*:\s*(\w+)/g)].map(([, name, type]) => `${name}: ${type}`);
}

const wgslOverrides = (wgsl: string): string[] =>
  [...wgsl.matchAll(/^override\s+(\w+)\s*:\s*\w+\s*=\s*([\d.]+)[uif]?\s*;/gm)].map(
    ([, name, value]) => `${name} = ${Number(value)}`,
  );

/** The spec lists the constants that may be specialised; the WGSL may have others. */
function checkConstants(kernel: KernelText, wgsl: string): string[] {
  return Object.entries(kernel.constants).flatMap(([name, value]) => {
    const line = new RegExp(`^const ${name}: (?:u32|i32|f32) = ([\\d.]+)[uif]?;`, 'm').exec(wgsl);
    if (!line) return [`constants: no line \`const ${name}: u32 = …;\``];
    return Number(line[1]) === value
      ? []
      : [`constants: ${name} is ${line[1]} in the WGSL, ${value} in the contract`];
  });
}
