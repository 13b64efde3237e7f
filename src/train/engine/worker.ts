/** The engine in a worker. The worker's name is the page's URL, whose `power` says which kind of adapter is wanted. */
import { fetchWeightsFrom } from './gpu_backend.ts';
import { serveEngine, type EngineScope } from './serve.ts';

/** What is used of DedicatedWorkerGlobalScope; the DOM library types `self` as a window. */
interface WorkerScope extends EngineScope {
  readonly name: string;
  readonly location: { readonly href: string };
}

const scope = self as unknown as WorkerScope;
const page = new URL(scope.name || scope.location.href);
const powerPreference = page.searchParams.get('power') === 'low-power' ? 'low-power' : 'high-performance';
serveEngine(scope, fetchWeightsFrom(page.href), { powerPreference });
