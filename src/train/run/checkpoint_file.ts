/**
 * A checkpoint as bytes: a safetensors file whose tensors are the networks' and whose metadata is the rest, with a digest
 * for each part, so that a damaged file is refused and says what of it is damaged.
 */
import * as v from 'valibot';
import { needsReference, needsRewardModel } from '../../algo/credit/signals.ts';
import { WeightsError } from '../../model/errors.ts';
import { SafetensorsReader, storedWords, writeSafetensors, type Tensor } from '../../model/safetensors.ts';
import { memorySchema } from '../../protocol/log.ts';
import { issueReport } from '../../protocol/schema.ts';
import {
  LabError,
  quote,
  type ErrorReport,
  type NamedTensors,
  type PolicyState,
  type RunConfig,
} from '../../units.ts';
import { parseRunConfig } from '../config/config.ts';
import { NETWORKS, type Checkpoint, type NetworkStates } from './checkpoint.ts';
import { emptyMemory, memoryChange, remember } from './memory.ts';
import type { Policies } from './update.ts';

const FORMAT = 'turnwise checkpoint 1'; // the number is the version

/** A checkpoint that cannot be read. */
export class CheckpointError extends LabError {
  constructor(report: Omit<ErrorReport, 'what' | 'next'>, cause?: unknown) {
    const what = 'The checkpoint cannot be read';
    const next =
      'Choose a whole checkpoint as the lab saved it; if it was copied or downloaded, do so again.';
    super('CheckpointError', { what, ...report, next }, cause);
  }
}

const refuse = (where: string, got: string, wanted: string): never => {
  throw new CheckpointError({ where, got, wanted });
};

const PARTS = ['parameters', 'firstMoment', 'secondMoment'] as const;
type PartName = `${keyof Policies}/${(typeof PARTS)[number]}`;

const PART_NAMES = NETWORKS.flatMap((network) => PARTS.map((part): PartName => `${network}/${part}`));

/** The parts of the file, in order; one that the run does not have is left out. */
const partsOf = (networks: NetworkStates): readonly (readonly [PartName, NamedTensors])[] =>
  NETWORKS.flatMap((network) => {
    const { parameters, optimiser } = networks[network] ?? {};
    const tensors = {
      parameters,
      firstMoment: optimiser?.firstMoment,
      secondMoment: optimiser?.secondMoment,
    };
    return PARTS.flatMap((part) => {
      const named = tensors[part];
      return named ? [[`${network}/${part}`, named] as const] : [];
    });
  });

/** SHA-256 over names, lengths and numbers of a part's tensors, in hexadecimal. */
async function digestOf(tensors: NamedTensors): Promise<string> {
  const entries = Object.entries(tensors);
  const names = JSON.stringify(entries.map(([name, { length }]) => [name, length]));
  return digest([
    new TextEncoder().encode(names),
    ...entries.map(([, values]) => new Uint8Array(values.buffer, values.byteOffset, values.byteLength)),
  ]);
}

async function digest(pieces: readonly Uint8Array<ArrayBuffer>[]): Promise<string> {
  const whole = await new Blob([...pieces]).arrayBuffer();
  const bytes = new Uint8Array(await crypto.subtle.digest('SHA-256', whole));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Little-endian like every WebGPU platform. */
export async function encodeCheckpoint({
  config,
  update,
  memory,
  networks,
}: Checkpoint): Promise<Uint8Array<ArrayBuffer>> {
  const parts = partsOf(networks);
  const steps = NETWORKS.map((name) => networks[name]?.optimiser?.steps ?? 0);
  const run = JSON.stringify({
    config,
    update,
    memory: memoryChange(emptyMemory(), memory) ?? {},
    steps,
  });
  const digests: Record<string, string> = { run: await digest([new TextEncoder().encode(run)]) };
  for (const [part, tensors] of parts) digests[part] = await digestOf(tensors);
  const tensors = parts.flatMap(([part, named]) =>
    Object.entries(named).map(([name, values]): Tensor => ({
      name: `${part}/${name}`,
      shape: [values.length],
      values,
    })),
  );
  const metadata = { format: FORMAT, run, digests: JSON.stringify(digests) };
  return new Uint8Array(writeSafetensors(tensors, metadata));
}

/**
 * The inverse of encodeCheckpoint, bit for bit.
 * @throws CheckpointError where the bytes are not whole, or a part is not as it was written
 * @throws RunConfigError, ConfigError where its configuration is none of this version
 */
export async function decodeCheckpoint(bytes: Uint8Array<ArrayBuffer>): Promise<Checkpoint> {
  const { metadata, parts } = contentsOf(bytes);
  const { format, run = '' } = metadata;
  if (format !== FORMAT) refuse('format', quote(format), `${quote(FORMAT)}, which this version reads`);
  const wanted = digestsIn(metadata.digests);
  const found = new Map([['run', await digest([new TextEncoder().encode(run)])]]);
  for (const [part, tensors] of parts) found.set(part, await digestOf(tensors));
  for (const part of new Set([...wanted.keys(), ...found.keys()]))
    if (found.get(part) !== wanted.get(part))
      refuse(part, quote(found.get(part)), `${quote(wanted.get(part))}, its digest when it was written`);
  const { config, update, memory, steps } = runIn(run);
  return {
    config,
    update,
    memory: remember(emptyMemory(), memory),
    networks: networksIn(parts, config, steps),
  };
}

interface Contents {
  readonly metadata: Readonly<Record<string, string | undefined>>;
  readonly parts: ReadonlyMap<PartName, NamedTensors>;
}

function contentsOf(bytes: Uint8Array<ArrayBuffer>): Contents {
  const reader = new SafetensorsReader(bytes.length);
  const tensors = new Map<string, Float32Array<ArrayBuffer>>();
  try {
    reader.push(bytes);
    if (!reader.header) reader.end();
    for (const { name, type, start, end } of reader.header!.tensors)
      // end() throws without a header
      if (type === 'F32') tensors.set(name, new Float32Array((end - start) / 4));
    reader.start(({ name, type }, first, piece) => {
      tensors.get(name)?.set(storedWords(piece, type, 'float32'), first);
    });
    reader.end();
  } catch (cause) {
    if (!(cause instanceof WeightsError)) throw cause;
    const { where, got, wanted } = cause.report;
    throw new CheckpointError({ where, got, wanted }, cause);
  }
  const parts = PART_NAMES.map((part) => {
    const own = [...tensors].filter(([name]) => name.startsWith(`${part}/`));
    return [
      part,
      Object.fromEntries(own.map(([name, values]) => [name.slice(part.length + 1), values])),
    ] as const;
  });
  return {
    metadata: reader.header!.metadata,
    parts: new Map(parts.filter(([, named]) => Object.keys(named).length > 0)),
  };
}

function digestsIn(text: string | undefined): ReadonlyMap<string, string> {
  const parsed = v.safeParse(v.record(v.string(), v.string()), jsonIn('digests', text));
  if (!parsed.success) return refuse('digests', quote(text), 'a digest for each part');
  return new Map(Object.entries(parsed.output));
}

function jsonIn(where: string, text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    return refuse(where, quote(text), 'JSON');
  }
}

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const runSchema = v.object({
  config: v.unknown(),
  update: count,
  memory: memorySchema,
  steps: v.tuple([count, count, count]), // of the optimiser, by network
});

function runIn(text: string) {
  const value = jsonIn('run', text);
  const parsed = v.safeParse(runSchema, value);
  if (!parsed.success) {
    const { where, got, wanted } = issueReport(parsed.issues, value, { what: '', root: 'run', next: '' });
    return refuse(where, got, wanted);
  }
  const config = parseRunConfig(parsed.output.config);
  const { update } = parsed.output;
  if (update > config.updates)
    refuse('run.update', String(update), `at most ${config.updates}, the run’s last`);
  return { ...parsed.output, config };
}

/** The networks that the run's method has, each with its moments where its optimiser has stepped. */
function networksIn(
  parts: Contents['parts'],
  { algorithm }: RunConfig,
  steps: readonly number[],
): NetworkStates {
  const wanted = {
    policy: true,
    reference: needsReference(algorithm),
    rewardModel: needsRewardModel(algorithm),
  };
  const partOf = (name: PartName, isWanted: boolean): NamedTensors => {
    const tensors = parts.get(name);
    if (Boolean(tensors) !== isWanted)
      refuse(
        name,
        tensors ? 'tensors' : 'nothing',
        isWanted ? 'tensors' : 'nothing: the run has no such part',
      );
    return tensors ?? {};
  };
  const stateOf = (network: keyof Policies, taken: number): PolicyState | null => {
    const isThere = wanted[network];
    const [parameters, firstMoment, secondMoment] = PARTS.map((part) =>
      partOf(`${network}/${part}`, isThere && (part === 'parameters' || taken > 0)),
    );
    return isThere
      ? { parameters, optimiser: taken > 0 ? { steps: taken, firstMoment, secondMoment } : null }
      : null;
  };
  return Object.fromEntries(NETWORKS.map((name, n) => [name, stateOf(name, steps[n])])) as NetworkStates; // one for each
}
