import { expect, test } from 'vitest';
import { openGpu } from '../../src/gpu/device.ts';
import { NoAdapterError } from '../../src/gpu/errors.ts';

interface Card {
  readonly names?: Partial<GPUAdapterInfo>;
  readonly limits?: Partial<GPUSupportedLimits>;
  readonly features?: readonly string[];
  readonly opens?: boolean;
}
const INTEL: Card = { names: { vendor: 'intel', architecture: 'gen-12lp' } };
const NVIDIA: Card = { names: { vendor: 'nvidia', architecture: 'ampere' } };

function adapterOf({ names, limits, features, opens = true }: Card): GPUAdapter {
  const device = {
    lost: new Promise(() => undefined),
    addEventListener: () => undefined,
    destroy: () => undefined,
  };
  return {
    info: { vendor: '', architecture: '', device: '', description: '', ...names },
    limits: { maxBufferSize: 2 ** 28, maxStorageBufferBindingSize: 2 ** 27, ...limits },
    features: new Set(features ?? ['timestamp-query']),
    requestDevice: () =>
      opens ? Promise.resolve(device) : Promise.reject(new Error('the driver does not answer')),
  } as unknown as GPUAdapter; // what openGpu uses of one
}

/** A browser with a card of each kind; null: it gives none. */
function browser(fast: Card | null, saving: Card | null) {
  const asked: (GPUPowerPreference | undefined)[] = [];
  const gpu = {
    requestAdapter({ powerPreference }: GPURequestAdapterOptions) {
      asked.push(powerPreference);
      const card = powerPreference === 'low-power' ? saving : fast;
      return Promise.resolve(card && adapterOf(card)); // a new object each time, as browsers give
    },
  } as unknown as GPU;
  return { gpu, asked };
}

test('of two adapters the wanted one is opened, and the other is known by its name', async () => {
  const { gpu, asked } = browser(NVIDIA, INTEL);
  const fast = await openGpu({ gpu });
  expect([fast.powerPreference, fast.adapter.vendor, asked]).toEqual(['high-performance', 'nvidia', ['high-performance']]); // prettier-ignore
  expect((await fast.otherAdapter())?.vendor).toBe('intel');
  const saving = await openGpu({ gpu, powerPreference: 'low-power' });
  expect([saving.powerPreference, saving.adapter.vendor, saving.refused]).toEqual(['low-power', 'intel', null]); // prettier-ignore
  expect((await saving.otherAdapter())?.vendor).toBe('nvidia');
});

test('the same adapter for both is one adapter', async () => {
  const same = await openGpu({ gpu: browser(NVIDIA, NVIDIA).gpu });
  expect(await same.otherAdapter()).toBeNull();
  const none = await openGpu({ gpu: browser(NVIDIA, null).gpu });
  expect(await none.otherAdapter()).toBeNull();
});

test('adapters without names are told apart by a limit or a feature', async () => {
  const nameless: Card = {};
  const others: Card[] = [{ limits: { maxBufferSize: 2 ** 30 } }, { features: ['shader-f16'] }, nameless];
  const found = await Promise.all(
    others.map(async (other) => (await openGpu({ gpu: browser(nameless, other).gpu })).otherAdapter()),
  );
  expect(found.map((other) => other !== null)).toEqual([true, true, false]);
});

test('where the wanted adapter cannot be opened, the other is, and it says why', async () => {
  const { gpu, asked } = browser(NVIDIA, { ...INTEL, opens: false });
  const opened = await openGpu({ gpu, powerPreference: 'low-power' });
  expect([opened.powerPreference, opened.adapter.vendor]).toEqual(['high-performance', 'nvidia']);
  expect(asked).toEqual(['low-power', 'high-performance']);
  expect(opened.refused).toMatchObject({
    where: 'requestDevice',
    got: 'no adapter: the driver does not answer',
  });
  const driver = await openGpu({ gpu: browser({ ...NVIDIA, opens: false }, INTEL).gpu });
  expect([driver.powerPreference, driver.adapter.vendor]).toEqual(['low-power', 'intel']);
});

test('where neither opens, the error is that of the wanted one', async () => {
  const opening = openGpu({ gpu: browser(null, { ...INTEL, opens: false }).gpu });
  const error: unknown = await opening.catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(NoAdapterError);
  expect((error as NoAdapterError).report.where).toBe('requestAdapter');
});
