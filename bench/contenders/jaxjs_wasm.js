import { jaxContender } from './jaxjs_common.js';

export default jaxContender('wasm', '@jax-js/jax 0.1.25, WebAssembly on the CPU');
