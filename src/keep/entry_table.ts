/** Entries in IndexedDB, by way of idb. */
import { openDB, type DBSchema } from 'idb';
import type { KeptEntry } from './entry.ts';
import type { EntryTable } from './keeper.ts';

interface Schema extends DBSchema {
  runs: { key: string; value: KeptEntry };
}

/** @throws whatever the browser says where storage is blocked */
export async function openEntries(name = 'turnwise'): Promise<EntryTable> {
  const db = await openDB<Schema>(name, 1, {
    upgrade: (fresh) => void fresh.createObjectStore('runs', { keyPath: 'id' }),
  });
  return {
    all: () => db.getAll('runs'),
    get: (id) => db.get('runs', id),
    put: async (entry) => void (await db.put('runs', entry)),
    delete: (id) => db.delete('runs', id),
  };
}
