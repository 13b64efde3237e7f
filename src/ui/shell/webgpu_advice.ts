/** One plain sentence on how to get WebGPU in the browser at hand. Pure: give it the user agent. */

export interface BrowserFacts {
  readonly userAgent: string;
  readonly secure: boolean; // window.isSecureContext
  readonly hasApi: boolean; // 'gpu' in navigator
}

const isMobile = (agent: string): boolean => /Android|iPhone|iPad|iPod|Mobile/.test(agent);

function chromiumAdvice(agent: string, name: string): string {
  const scheme = name === 'Edge' ? 'edge' : 'chrome';
  if (/Linux/.test(agent))
    return `On Linux, open ${scheme}://flags/#enable-unsafe-webgpu, choose Enabled and restart ${name}.`;
  return `Update ${name} to version 113 or later and turn on “Use graphics acceleration when available” in its settings under System.`;
}

function mobileAdvice(agent: string): string {
  if (/iPhone|iPad|iPod/.test(agent)) return 'Update to iOS or iPadOS 26, where Safari has WebGPU.';
  return 'Use Chrome 121 or later on Android 12 or later, or open this page on a computer.';
}

/** What a page without WebGPU does and does not, in one sentence. */
export const WITHOUT_WEBGPU =
  'The recorded run and runs from files work in full (trees, credit, loss, comparisons, lessons, exports); what computes with the policy does not: training, turns by hand, checks of a step or a kernel, profiles.';

/** @returns how to get WebGPU here, as one or two sentences */
export function webgpuAdvice({ userAgent, secure, hasApi }: BrowserFacts): string {
  if (!secure) return 'Open this page by https or on localhost: browsers offer WebGPU only there.';
  if (isMobile(userAgent)) return mobileAdvice(userAgent);
  if (/Firefox\//.test(userAgent))
    return /Windows|Macintosh/.test(userAgent)
      ? 'Update Firefox to version 145 or later, or open about:config and set dom.webgpu.enabled to true.'
      : 'In Firefox on Linux, open about:config and set dom.webgpu.enabled to true (Nightly has it on), or use Chrome.';
  if (/Edg\//.test(userAgent)) return chromiumAdvice(userAgent, 'Edge');
  if (/Chrom(e|ium)\//.test(userAgent)) return chromiumAdvice(userAgent, 'Chrome');
  if (/Safari\//.test(userAgent)) return 'Update to Safari 26 (macOS Tahoe), or use Chrome on this Mac.';
  const reason = hasApi ? 'This browser found no graphics adapter.' : 'This browser does not offer WebGPU.';
  return `${reason} Use a current Chrome, Edge, Firefox or Safari.`;
}

export const factsOfThisBrowser = (): BrowserFacts => ({
  userAgent: navigator.userAgent,
  secure: window.isSecureContext,
  hasApi: 'gpu' in navigator,
});
