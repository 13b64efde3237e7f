/** What the engine asks of a backend: policies, checks and profiles. The engine's is gpu_backend.ts. */
import type { Environment, ErrorReport, ModelConfig, RunConfig, TrainablePolicy } from '../../units.ts';
import type { UpdateProfiler } from './profile.ts';
import type {
  AdapterChoice,
  AdapterDescription,
  KernelBatch,
  KernelCheck,
  KernelTrial,
  TryKernel,
} from '../../protocol/protocol.ts';

/** A policy of a run: its model, its edited kernel, as much room as the run can need. */
export interface PolicyRequest {
  readonly config: RunConfig;
  readonly weights: ArrayBuffer | null; // safetensors; null: random parameters keyed by the run's seed
  readonly environment: Environment;
}

/** Where policies live; the engine's is gpu_backend.ts, tests script their own. */
export interface Backend {
  readonly adapter: AdapterDescription;
  /** Looks for the other adapter. Absent where there is nothing to choose from. */
  adapterChoice?(): Promise<AdapterChoice>;
  /** Resolves when the backend can do no more and was not closed; never rejects. */
  readonly lost: Promise<ErrorReport>;
  createPolicy(request: PolicyRequest): Promise<TrainablePolicy>;
  parameterCount(model: ModelConfig): number;
  /**
   * Bytes of device memory that a run needs at most. Absent where there is no such memory.
   * @param trial asks the device for them too, before anything is allocated
   * @throws DoesNotFitError
   */
  checkFits?(config: RunConfig, trial: boolean): Promise<number>;
  /** Runs a kernel against its oracle, on a mini-batch or the catalogue's cases. Absent where there are no kernels. */
  checkKernel?(name: string, batch: KernelBatch | null): Promise<KernelCheck>;
  /** Compiles a person's text of a kernel and checks its gradient. Absent there too. */
  tryKernel?(question: TryKernel): Promise<KernelTrial>;
  /** Absent where nothing can be timed. */
  startProfile?(): UpdateProfiler;
  /** See Engine.countSilence. Absent where nothing is waited for. */
  countSilence?(): number;
  /** Takes the device for lost, though the browser has not said so. Absent where there is none. */
  giveUp?(): void;
  /** Ends the checks of kernels under way with CheckCancelledError. Absent where there are none. */
  cancelChecks?(): void;
  close(): void;
}
