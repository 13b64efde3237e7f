import { expect, test } from 'vitest';
import { describeAdapter } from '../../src/gpu/device.ts';

const info = (fields: Partial<GPUAdapterInfo>): GPUAdapterInfo =>
  ({ vendor: '', architecture: '', device: '', description: '', ...fields }) as GPUAdapterInfo;
const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0';
const SAFARI =
  'Mozilla/5.0 (Macintosh) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1.15';
const CHROME =
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0 Safari/537.36';

test('an adapter that its browser does not name is called after the browser’s WebGPU', () => {
  const names = [FIREFOX, SAFARI, CHROME, ''].map((agent) => describeAdapter(info({}), agent).description);
  expect(names).toEqual(['Firefox’s wgpu', 'WebKit', '', '']);
  expect(describeAdapter(info({ isFallbackAdapter: true }), FIREFOX).software).toBe(true);
  expect(describeAdapter(info({}), FIREFOX).software).toBe(false);
});

test('a name that is given stays as it is', () => {
  const card = info({ vendor: 'nvidia', architecture: 'hopper' });
  const named = { vendor: 'nvidia', architecture: 'hopper', description: '', software: false };
  expect(describeAdapter(card, FIREFOX)).toEqual(named);
  const software = { vendor: 'google', architecture: 'swiftshader', description: '', software: true };
  expect(describeAdapter(info({ vendor: 'google', architecture: 'swiftshader' }), CHROME)).toEqual(software);
});
