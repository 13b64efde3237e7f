/**
 * Offline: keeps the built site in this browser, and answers from there. A version is one set of files that belong
 * together; a tab goes on with the version that it was loaded from until a person takes the new one.
 * Built to `service_worker.js` by scripts/offline.ts, which puts VERSION and FILES before it.
 */
declare const VERSION: string; // digest of all files
declare const FILES: readonly string[]; // of the site, relative to its root; './' is the page

/** The part of the service worker's global scope that is used here; TypeScript's own library for it excludes the DOM's. */
interface WaitEvent extends Event {
  waitUntil(work: Promise<unknown>): void;
}
interface RequestEvent extends WaitEvent {
  readonly request: Request;
  respondWith(response: Promise<Response>): void;
}
interface WorkerScope {
  readonly registration: { readonly scope: string };
  readonly clients: { claim(): Promise<void> };
  skipWaiting(): Promise<void>;
  addEventListener(kind: 'install' | 'activate', heard: (event: WaitEvent) => void): void;
  addEventListener(kind: 'fetch', heard: (event: RequestEvent) => void): void;
  addEventListener(kind: 'message', heard: (event: MessageEvent) => void): void;
}
const worker = self as unknown as WorkerScope;

const { scope } = worker.registration;
const PREFIX = `turnwise ${scope} `; // several sites can share an origin
const KEPT_VERSIONS = 2; // this one and the one before: another tab may still be loading parts of it

async function install(): Promise<void> {
  const cache = await caches.open(PREFIX + VERSION);
  await cache.addAll(FILES.map((file) => new URL(file, scope).href));
}

async function forgetOldVersions(): Promise<void> {
  const own = (await caches.keys()).filter((name) => name.startsWith(PREFIX) && name !== PREFIX + VERSION);
  await Promise.all(own.slice(0, own.length - (KEPT_VERSIONS - 1)).map((name) => caches.delete(name)));
}

/** The site's own file from the newest version that has it; else from the network. */
async function answer(request: Request): Promise<Response> {
  const { origin, pathname } = new URL(request.url);
  const address = request.mode === 'navigate' && pathname.endsWith('/index.html') ? scope : origin + pathname;
  for (const name of [PREFIX + VERSION, ...(await caches.keys())]) {
    if (!name.startsWith(PREFIX)) continue;
    const kept = await (await caches.open(name)).match(address, { ignoreVary: true });
    if (kept) return kept;
  }
  return fetch(request);
}

worker.addEventListener('install', (event) => event.waitUntil(install()));
worker.addEventListener('activate', (event) =>
  event.waitUntil(forgetOldVersions().then(() => worker.clients.claim())),
);
worker.addEventListener('fetch', (event) => {
  const { request } = event;
  const isOwn = request.method === 'GET' && request.url.startsWith(scope);
  if (isOwn && !request.headers.has('range')) event.respondWith(answer(request));
});
worker.addEventListener('message', ({ data }) => {
  if (data === 'take over') void worker.skipWaiting();
});
