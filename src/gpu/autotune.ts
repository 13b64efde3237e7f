/**
 * Chooses between the shapes of a kernel's workgroups, and between the kernel and its twins for graphics cards, by timing
 * them on the device, once per device and kernel text. Only what gives the same bits may be declared (`tunable` in
 * kernel.ts), so a choice changes how long a run takes and nothing else.
 */
import { BufferOwner } from './buffers.ts';
import type { Gpu } from './device.ts';
import type { Kernel, Shaping } from './kernel.ts';
import type { AnyKernel } from './pipelines.ts';
import { Program } from './program.ts';
import { dispatch } from './steps.ts';

/** Keeps choices between visits. A store that fails is one that forgets. */
export interface TuningStore {
  get(key: string): Promise<string | null>;
  set(key: string, value: string): Promise<void>;
}

const LEAST_MS = 4; // of one timing; shorter ones drown in the cost of a submission
const MOST_REPEATS = 2048;
const ROUNDS = 3; // candidates take turns, the shortest time counts
const CLEARLY = 0.95; // of the default's time: less is noise, and the default stays

/**
 * Fills gpu.tuning and gpu.declined for the kernels that this device runs.
 * @throws ShaderCompileError, OutOfMemoryError, DeviceLostError
 */
export async function autotune(gpu: Gpu, kernels: readonly AnyKernel[], store: TuningStore): Promise<void> {
  const runs = ({ feature }: AnyKernel): boolean => !feature || gpu.features.has(feature);
  for (const kernel of kernels) {
    if (!kernel.tunable || !runs(kernel) || (kernel.faster && runs(kernel.faster))) continue;
    const plain = kernels.find(({ faster }) => faster?.name === kernel.name) ?? kernel;
    const twinsRun =
      !gpu.adapter.software && plain.onCards?.some((twin) => runs(twin.kernel ?? plain)) === true;
    const shapes = [...(twinsRun ? [null] : []), kernel.overrides, ...kernel.tunable.candidates]; // null: the twins
    if (shapes.length === 1) continue;
    const key = keyOf(gpu, kernel, plain, shapes);
    const known = Number((await store.get(key).catch(() => null)) ?? NaN);
    const choice = shapes[known] === undefined ? await fastest(gpu, kernel, plain, shapes) : known;
    if (choice !== known) await store.set(key, String(choice)).catch(() => undefined);
    const shape = shapes[choice];
    if (shape === null) continue;
    if (shape !== kernel.overrides) gpu.tuning.set(kernel.name, shape);
    if (twinsRun) gpu.declined.add(plain.name);
  }
}

/** Changes with the device, the browser, the kernel's text and its candidates. */
function keyOf(
  { adapter }: Gpu,
  { name, source, tunable }: AnyKernel,
  { onCards = [] }: AnyKernel,
  shapes: readonly (Shaping | null)[],
): string {
  const browser = globalThis.navigator?.userAgent ?? '';
  const twins = onCards.map(({ kernel, overrides, constants }) => [kernel?.source, overrides, constants]);
  const text = JSON.stringify([adapter, browser, source, shapes, tunable?.params, twins]);
  let hash = 0x811c9dc5; // FNV-1a
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return `${name}-${(hash >>> 0).toString(16)}`;
}

/** Index of what takes the shortest time; 0, the twins where there are any, unless another is clearly faster. */
async function fastest(
  gpu: Gpu,
  kernel: AnyKernel,
  plain: AnyKernel,
  shapes: readonly (Shaping | null)[],
): Promise<number> {
  const { params, contents, constants } = kernel.tunable!;
  const owner = new BufferOwner(gpu, 'autotune');
  const programs: Program[] = [];
  try {
    const buffers = Object.fromEntries(
      kernel.bindings.map(({ name }) => [name, owner.storage(name, contents[name])]),
    );
    await owner.ready();
    const built = shapes.map((overrides) =>
      // The params carry the kernel's own field names, which AnyKernel has forgotten.
      Program.build(gpu, `autotune ${kernel.name}`, [
        overrides === null
          ? dispatch(plain as unknown as Kernel, buffers, () => params, { constants })
          : dispatch(kernel as unknown as Kernel, buffers, () => params, {
              overrides,
              constants,
              faster: false,
            }),
      ]),
    );
    programs.push(...(await Promise.all(built)));
    return choose(await timings(gpu, programs));
  } finally {
    programs.forEach((program) => program.destroy());
    owner.destroy();
  }
}

/** Shortest time of each program over the same number of repeats, ms. */
async function timings(gpu: Gpu, programs: readonly Program[]): Promise<readonly number[]> {
  let repeats = 1;
  for (const program of programs) await time(gpu, program, 1); // the first run of a pipeline is slow
  while (repeats < MOST_REPEATS && (await time(gpu, programs[0], repeats)) < LEAST_MS) repeats *= 4;
  const shortest = programs.map(() => Infinity);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [index, program] of programs.entries())
      shortest[index] = Math.min(shortest[index], await time(gpu, program, repeats));
  }
  return shortest;
}

async function time(gpu: Gpu, program: Program, repeats: number): Promise<number> {
  const { device } = gpu;
  const encoder = device.createCommandEncoder({ label: program.label });
  for (let repeat = 0; repeat < repeats; repeat++) program.encode(encoder, {});
  const startMs = performance.now();
  device.queue.submit([encoder.finish()]);
  await Promise.race([device.queue.onSubmittedWorkDone(), gpu.lost.then((error) => Promise.reject(error))]);
  return performance.now() - startMs;
}

/** @param timesMs the default's first */
export function choose(timesMs: readonly number[]): number {
  let best = 0;
  let limit = CLEARLY * timesMs[0];
  timesMs.forEach((ms, index) => {
    if (ms < limit) [best, limit] = [index, ms];
  });
  return best;
}

/** The browser's own store, which workers have too; it forgets where the page may not keep anything. */
export function browserStore(): TuningStore {
  const open = (): Promise<Cache> => globalThis.caches.open('turnwise-tuning');
  const place = (key: string): string => `/tuning/${key}`;
  return {
    get: async (key) => (await (await open()).match(place(key)))?.text() ?? null,
    set: async (key, value) => (await open()).put(place(key), new Response(value)),
  };
}
