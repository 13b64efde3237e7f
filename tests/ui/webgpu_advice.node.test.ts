import { expect, test } from 'vitest';
import { webgpuAdvice } from '../../src/ui/shell/webgpu_advice.ts';

const advice = (userAgent: string, secure = true) => webgpuAdvice({ userAgent, secure, hasApi: false });
const CHROME = 'AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36';

test.each([
  [`Mozilla/5.0 (X11; Linux x86_64) ${CHROME}`, /chrome:\/\/flags\/#enable-unsafe-webgpu/],
  [`Mozilla/5.0 (Windows NT 10.0) ${CHROME}`, /Update Chrome to version 113/],
  [`Mozilla/5.0 (Windows NT 10.0) ${CHROME} Edg/150.0`, /Update Edge to version 113/],
  ['Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0', /dom\.webgpu\.enabled/],
  ['Mozilla/5.0 (Windows NT 10.0; rv:120.0) Gecko/20100101 Firefox/120.0', /Update Firefox/],
  [
    'Mozilla/5.0 (Macintosh) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.0 Safari/605.1.15',
    /Safari 26/,
  ],
  ['Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit Mobile Safari', /iOS or iPadOS 26/],
  [`Mozilla/5.0 (Linux; Android 13) ${CHROME} Mobile`, /Android 12/],
  ['Lynx/2.8', /does not offer WebGPU/],
])('%s is told how to get WebGPU', (userAgent, wanted) => {
  expect(advice(userAgent)).toMatch(wanted);
});

test('an insecure page is told so first', () => {
  expect(advice('Firefox/145.0', false)).toMatch(/https or on localhost/);
});
