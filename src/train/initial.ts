import { STREAMS, keyedRandom } from '../algo/random.ts';
import { initialParameters } from '../model/parameters.ts';
import type { ModelConfig } from '../units.ts';

/**
 * Random initial parameters of a seed, one stream per tensor.
 * @returns the flat buffer of parameterMap(model)
 */
export const seededParameters = (model: ModelConfig, seed: number): Float32Array<ArrayBuffer> =>
  initialParameters(model, (parameter) => {
    const random = keyedRandom({ seed, update: 0 }, STREAMS.parameters, parameter);
    return () => random.uniform();
  });
