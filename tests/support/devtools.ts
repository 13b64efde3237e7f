/** What Chromium's debugger does to a page, or knows of it, that a page cannot. */
import { cdp } from 'vitest/browser';

/** Sends a command of the DevTools protocol to the page of the tests. @returns its answer, of the shape that the command has */
export const devtools = <Answer>(method: string, params: object = {}): Promise<Answer> =>
  (cdp() as unknown as { send(method: string, params: object): Promise<Answer> }).send(method, params);

/** The processor's time that the page's own thread has had so far, ms: what others do on the machine is not in it. */
export async function pageThreadMs(): Promise<number> {
  await devtools('Performance.enable');
  const { metrics } = await devtools<{ readonly metrics: readonly { readonly name: string; readonly value: number }[] }>('Performance.getMetrics'); // prettier-ignore
  return 1000 * metrics.find(({ name }) => name === 'ThreadTime')!.value;
}

/** Has the page give back all memory that nobody holds, so that none of what follows pays for what was before. */
export async function collectGarbage(): Promise<void> {
  await devtools('HeapProfiler.collectGarbage');
}
