/** What a library implements to be measured: one file in contenders/, one line in contenders/index.js. */
import type { MatmulShape, Parameters, Settings, TrainBatch, WorkShape } from './work.ts';

type Floats = Float32Array<ArrayBuffer>;

export interface Contender {
  readonly label: string; // name and version, as the table shows it
  /** Called once in a fresh page. Throws to say "cannot run here": the reason is recorded. */
  readonly setup: () => Promise<void>;
  readonly matmul?: (shape: MatmulShape, a: Floats, b: Floats) => Promise<Matmul>;
  readonly trainer?: (shape: WorkShape, settings: Settings, parameters: Parameters) => Promise<Trainer>;
  readonly decoder?: (shape: WorkShape, settings: Settings, parameters: Parameters) => Promise<Decoder>;
}

/** c = a·b of work.ts. */
export interface Matmul {
  /** The product `times` times; resolves when the device has finished. */
  run(times: number): Promise<void>;
  read(): Promise<ArrayLike<number>>; // [m, n]
  dispose(): void;
}

/** A model and its AdamW state, started from the given parameters. */
export interface Trainer {
  /** Forward, backward, AdamW; resolves to the loss before the step when the device has finished. */
  trainStep(batch: TrainBatch): Promise<number>;
  readParameters(): Promise<Readonly<Record<string, ArrayLike<number>>>>; // named as they came
  dispose(): void;
}

/** Greedy decoding with a cache of keys and values. */
export interface Decoder {
  /**
   * @param prompts [rows·promptTokens]
   * @returns [rows·newTokens], the prompts read again on every call
   */
  decode(prompts: Int32Array<ArrayBuffer>): Promise<ArrayLike<number>>;
  dispose(): void;
}
