/** A disk in memory that can be cut, filled up and refused, and locks of one page. */
import type { Disk } from '../../src/keep/disk.ts';
import type { KeptEntry } from '../../src/keep/entry.ts';
import type { Keeper, LockManagerLike } from '../../src/keep/keeper.ts';
import type { Table } from '../../src/keep/table.ts';
import type { KeeperEnd } from '../../src/store/lab/kept.ts';
import type { Bytes } from '../../src/files/members.ts';

export class MemoryDisk implements Disk {
  readonly files = new Map<string, Bytes>();
  quota = Infinity; // bytes in all

  #put(path: string, bytes: Bytes): void {
    const others = [...this.files].reduce((sum, [name, file]) => sum + (name === path ? 0 : file.length), 0);
    if (others + bytes.length > this.quota) throw new DOMException('no room', 'QuotaExceededError');
    this.files.set(path, bytes);
  }

  append(path: string, bytes: Bytes): Promise<number> {
    const before = this.files.get(path) ?? new Uint8Array(0);
    const whole = new Uint8Array(before.length + bytes.length);
    whole.set(before);
    whole.set(bytes, before.length);
    return new Promise((resolve) => {
      this.#put(path, whole);
      resolve(whole.length);
    });
  }
  write(path: string, bytes: Bytes): Promise<void> {
    return new Promise((resolve) => {
      this.#put(path, bytes.slice());
      resolve();
    });
  }
  read(path: string): Promise<Blob | null> {
    const file = this.files.get(path);
    return Promise.resolve(file ? new Blob([file]) : null);
  }
  truncate(path: string, bytes: number): Promise<void> {
    this.files.set(path, (this.files.get(path) ?? new Uint8Array(0)).slice(0, bytes));
    return Promise.resolve();
  }
  list(folder: string): Promise<readonly string[]> {
    const inside = [...this.files.keys()].filter((path) => path.startsWith(`${folder}/`));
    return Promise.resolve(inside.map((path) => path.slice(folder.length + 1)));
  }
  remove(path: string): Promise<void> {
    for (const name of [...this.files.keys()])
      if (name === path || name.startsWith(`${path}/`)) this.files.delete(name);
    return Promise.resolve();
  }
}

export function memoryEntries(): Table<KeptEntry> {
  const entries = new Map<string, KeptEntry>();
  return {
    all: () => Promise.resolve([...entries.values()]),
    get: (id) => Promise.resolve(entries.get(id)),
    put: (entry) => Promise.resolve(void entries.set(entry.id, entry)),
    delete: (id) => Promise.resolve(void entries.delete(id)),
  };
}

/** Locks that all keepers of a test share, as tabs of one browser do. */
export function memoryLocks(): LockManagerLike {
  const held = new Set<string>();
  const request = async (
    name: string,
    _options: unknown,
    work: (lock: { name: string } | null) => Promise<void> | undefined,
  ): Promise<void> => {
    if (held.has(name)) return void (await work(null));
    held.add(name);
    try {
      await work({ name });
    } finally {
      held.delete(name);
    }
  };
  return { request } as unknown as LockManagerLike;
}

/** A keeper as the page has it, without a worker between. */
export const keeperEnd = (keeper: Keeper): KeeperEnd => ({
  list: () => keeper.list(),
  open: (id) => keeper.open(id),
  goOn: (id, before) => keeper.goOn(id, before),
  checkpoint: (id, update) => keeper.checkpoint(id, update),
  bundle: (id, choice) => keeper.bundle(id, choice),
  take: (bundle) => keeper.take(bundle),
  keepImport: (log) => keeper.keepImport(log),
  change: (id, change) => keeper.change(id, change),
  storage: () => Promise.resolve({ usage: 1, quota: 2, persisted: false }),
  persist: () => Promise.resolve(true),
});
