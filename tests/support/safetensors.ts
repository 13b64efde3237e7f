/** Weights files looked at, made by hand and cut into chunks. */
import { SafetensorsReader, storedWords } from '../../src/model/safetensors.ts';

export interface PlainTensor {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** Every tensor of a file by name, as float32; the file comes in chunks of so many bytes. */
export function tensorsOf(file: ArrayBuffer, chunkBytes = file.byteLength, known = true) {
  const reader = new SafetensorsReader(known ? file.byteLength : null);
  const tensors = new Map<string, PlainTensor>();
  let started = false;
  for (let start = 0; start < file.byteLength; start += chunkBytes) {
    reader.push(new Uint8Array(file, start, Math.min(chunkBytes, file.byteLength - start)));
    if (started || !reader.header) continue;
    started = true;
    for (const { name, shape } of reader.header.tensors) {
      const count = shape.reduce((total, size) => total * size, 1);
      tensors.set(name, { shape, values: new Float32Array(count) });
    }
    reader.start(({ name, type }, first, bytes) =>
      tensors.get(name)!.values.set(storedWords(bytes, type, 'float32'), first),
    );
  }
  reader.end();
  return { tensors, metadata: reader.header!.metadata };
}

/** A file with this header and data bytes. */
export function fileOf(header: unknown, bytes: ArrayLike<number>): ArrayBuffer {
  const json = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
  const whole = new Uint8Array(8 + json.length + bytes.length);
  new DataView(whole.buffer).setBigUint64(0, BigInt(json.length), true);
  whole.set(json, 8);
  whole.set(bytes, 8 + json.length);
  return whole.buffer;
}

/** A file as a download gives it: chunk after chunk, its length unknown. */
export function streamOf(
  file: ArrayBuffer,
  chunkBytes: number,
): { stream: ReadableStream<Uint8Array>; state: { cancelled: boolean; sent: number } } {
  const state = { cancelled: false, sent: 0 };
  const stream = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        if (state.sent >= file.byteLength) return controller.close();
        const length = Math.min(chunkBytes, file.byteLength - state.sent);
        controller.enqueue(new Uint8Array(file.slice(state.sent, state.sent + length)));
        state.sent += length;
      },
      cancel() {
        state.cancelled = true;
      },
    },
    { highWaterMark: 0 },
  );
  return { stream, state };
}
