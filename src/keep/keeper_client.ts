/** The page's end of the keeper: starts its worker, joins the engine to it, asks it about kept runs. */
import { transfer, wrap, type Remote } from 'comlink';
import type { KeeperApi, KeeperNews } from './keeper_worker.ts';

export interface KeeperClient {
  readonly api: Remote<KeeperApi>;
  /** A channel for one engine, to be handed to its worker. */
  join(): MessagePort;
}

/** @param hear told of each update that was written down, and of trouble */
export function startKeeper(hear: (news: KeeperNews) => void): KeeperClient {
  const worker = new Worker(new URL('./keeper_worker.ts', import.meta.url), {
    type: 'module',
    name: 'keeper',
  });
  const api = wrap<KeeperApi>(worker);
  return {
    api,
    join() {
      const engine = new MessageChannel();
      const news = new MessageChannel();
      news.port1.onmessage = ({ data }: MessageEvent<KeeperNews>) => hear(data);
      void api.connect(transfer(engine.port1, [engine.port1]), transfer(news.port2, [news.port2]));
      return engine.port2;
    },
  };
}
