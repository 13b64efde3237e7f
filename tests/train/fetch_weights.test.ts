import { afterEach, expect, test, vi } from 'vitest';
import { fetchWeightsFrom } from '../../src/train/engine/gpu_backend.ts';

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test('weights that never come whole are given up after a minute, with their address', async () => {
  vi.useFakeTimers();
  const body = (signal: AbortSignal): Promise<ArrayBuffer> =>
    new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
  vi.stubGlobal('fetch', (_: string, { signal }: { signal: AbortSignal }) =>
    Promise.resolve({ ok: true, headers: new Headers(), arrayBuffer: () => body(signal) }),
  );
  let message = '';
  void fetchWeightsFrom('http://lab/')('warm.safetensors').catch((error: Error) => (message = error.message));
  await vi.advanceTimersByTimeAsync(59_000);
  expect(message).toBe('');
  await vi.advanceTimersByTimeAsync(2_000);
  expect(message).toContain('http://lab/warm.safetensors): got nothing whole in 60 s');
});
