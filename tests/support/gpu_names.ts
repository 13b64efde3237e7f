const USAGES = ['MAP_READ', 'MAP_WRITE', 'COPY_SRC', 'COPY_DST', 'INDEX', 'VERTEX', 'UNIFORM', 'STORAGE'];

/**
 * Puts in place what Node lacks of WebGPU that the paper device needs: only the names of the usages. A call a file: files share
 * their modules and globals, and another one may have taken them back.
 */
export function nameUsages(): void {
  Object.assign(globalThis, {
    GPUBufferUsage: Object.fromEntries(USAGES.map((name, bit) => [name, 2 ** bit])),
  });
}
