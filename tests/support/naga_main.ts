import { runSuite } from './naga_suite.ts';

// The one place that knows Deno; its types are not installed.
declare const Deno: { readonly args: readonly string[]; exit(code: number): never };

Deno.exit((await runSuite(Deno.args[0] ?? '', console.log)) === 0 ? 0 : 1);
