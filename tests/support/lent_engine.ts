import { startEngine, type EngineClient } from '../../src/train/engine/client.ts';
import { fetchWeightsFrom } from '../../src/train/engine/gpu_backend.ts';
import { engineHere } from '../../src/train/engine/serve.ts';
import { lentGpu } from './shared_gpu.ts';

/** An engine behind messages, as in a worker, with the device of the page, on which its kernels are compiled already. */
export const lentEngine = (): EngineClient =>
  startEngine(() => engineHere(fetchWeightsFrom(document.baseURI), { gpu: lentGpu }), null);
