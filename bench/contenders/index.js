// One line per contender; the first is the reference for losses and tokens. Each is loaded in a page of its own, so
// that what a library changes globally reaches no other.
export const contenders = {
  turnwise: () => import('./turnwise.ts'),
  jaxjs: () => import('./jaxjs.js'),
  'jaxjs-wasm': () => import('./jaxjs_wasm.js'),
  'tfjs-webgpu': () => import('./tfjs.js'),
  'webgpu-llm': () => import('./webgpu_llm.js'),
  'webgpu-torch': () => import('./webgpu_torch.js'),
  'plain-js': () => import('./plain_js.js'),
};
