import { jaxContender } from './jaxjs_common.js';

export default jaxContender('webgpu', '@jax-js/jax 0.1.25, WebGPU');
