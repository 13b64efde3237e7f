/** The site in this browser: kept for use without a network, and a new version that is offered, never forced. */
import { useSyncExternalStore } from 'react';

let waiting: ServiceWorker | null = null; // a new version that is installed and not in use
let isTaken = false; // a person asked for it in this tab
const ASK_AGAIN_MS = 1000;
const listeners = new Set<() => void>();

function setWaiting(next: ServiceWorker | null): void {
  waiting = next;
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/**
 * Keeps the site for use offline. Call it when the page has what it needs: the download of the rest waits until then.
 * Where the browser has no service workers, or refuses one, the page works as before, online only.
 */
export async function keepOffline(address: URL): Promise<void> {
  if (!('serviceWorker' in navigator)) return;
  const { serviceWorker } = navigator;
  serviceWorker.addEventListener('controllerchange', () => {
    if (isTaken) location.reload();
  });
  try {
    const registration = await serviceWorker.register(address);
    const look = (): void => setWaiting(serviceWorker.controller ? registration.waiting : null);
    const follow = (): void => registration.installing?.addEventListener('statechange', look);
    look();
    follow(); // one that the browser found while the page was loading
    registration.addEventListener('updatefound', follow);
  } catch (error) {
    console.info('The lab is not kept for use offline:', error); // insecure origin, private window, storage refused
  }
}

export function NewVersionNotice() {
  const ready = useSyncExternalStore(subscribe, () => waiting);
  if (!ready) return null;
  const takeOver = (): void => {
    if (isTaken) return;
    isTaken = true;
    const ask = (): void => ready.postMessage('take over');
    ask();
    setInterval(ask, ASK_AGAIN_MS); // until the reload: a browser waits for what the old version is answering just now
  };
  return (
    <div className="notice" role="status">
      <p>
        <strong>A new version of the lab is here.</strong> This tab goes on with the one that it was opened
        with; the new one needs a reload, which ends a run that is under way.
      </p>
      <button type="button" className="small" onClick={takeOver}>
        Reload with the new version
      </button>
      <button type="button" className="small" onClick={() => setWaiting(null)}>
        Later
      </button>
    </div>
  );
}
