/** Values by id in IndexedDB, by way of idb: what is small and belongs to no run. */
import { openDB, type DBSchema } from 'idb';

export interface Table<T> {
  all(): Promise<readonly T[]>;
  put(value: T): Promise<void>;
  delete(id: string): Promise<void>;
}

/** @throws whatever the browser says where storage is blocked */
export async function openTable<T extends { readonly id: string }>(name: string): Promise<Table<T>> {
  interface Schema extends DBSchema {
    values: { key: string; value: T };
  }
  const db = await openDB<Schema>(name, 1, {
    upgrade: (fresh) => void fresh.createObjectStore('values', { keyPath: 'id' }),
  });
  return {
    all: () => db.getAll('values'),
    put: async (value) => void (await db.put('values', value)),
    delete: (id) => db.delete('values', id),
  };
}
