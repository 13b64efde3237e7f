/** What Node lacks of WebGPU that the paper device needs: only the names of the usages. Put in place by its import. */
const USAGES = ['MAP_READ', 'MAP_WRITE', 'COPY_SRC', 'COPY_DST', 'INDEX', 'VERTEX', 'UNIFORM', 'STORAGE'];

if (!('GPUBufferUsage' in globalThis))
  Object.assign(globalThis, {
    GPUBufferUsage: Object.fromEntries(USAGES.map((name, bit) => [name, 2 ** bit])),
  });
