/** GPU memory of whatever runs in this page: bytes of the buffers created and not yet destroyed, and their peak. */

export interface MemoryMeter {
  readonly bytes: number;
  readonly peakBytes: number; // since start() or the last mark()
  /** Counts the peak from here. */
  mark(): void;
}

type Prototypes = { readonly device: GPUDevice; readonly buffer: GPUBuffer };

/**
 * Watches createBuffer and destroy of every device. Buffers that a library leaves to the garbage collector count as
 * alive, which is what the device sees until then.
 */
export function watchMemory(
  { device, buffer }: Prototypes = { device: GPUDevice.prototype, buffer: GPUBuffer.prototype },
): MemoryMeter {
  const alive = new WeakMap<GPUBuffer, number>();
  let bytes = 0;
  let peakBytes = 0;
  /* eslint-disable @typescript-eslint/unbound-method -- both are called with their own `this` below */
  const createBuffer = device.createBuffer;
  const destroy = buffer.destroy;
  /* eslint-enable @typescript-eslint/unbound-method */
  device.createBuffer = function (this: GPUDevice, descriptor) {
    const made = createBuffer.call(this, descriptor);
    alive.set(made, descriptor.size);
    bytes += descriptor.size;
    peakBytes = Math.max(peakBytes, bytes);
    return made;
  };
  buffer.destroy = function (this: GPUBuffer) {
    bytes -= alive.get(this) ?? 0;
    alive.delete(this);
    return destroy.call(this);
  };
  return {
    get bytes() {
      return bytes;
    },
    get peakBytes() {
      return peakBytes;
    },
    mark: () => {
      peakBytes = bytes;
    },
  };
}
