/** Values by id in IndexedDB, by way of idb: the shelf's entries, experiments. */
import { openDB } from 'idb';

export interface Table<T> {
  all(): Promise<readonly T[]>;
  get(id: string): Promise<T | undefined>;
  put(value: T): Promise<void>;
  delete(id: string): Promise<void>;
}

/**
 * @param name of the database, and of its one store
 * @throws whatever the browser says where storage is blocked
 */
export async function openTable<T extends { readonly id: string }>(
  name: string,
  values: string,
): Promise<Table<T>> {
  const db = await openDB(name, 1, {
    upgrade: (fresh) => void fresh.createObjectStore(values, { keyPath: 'id' }),
  });
  return {
    all: () => db.getAll(values) as Promise<T[]>, // the store holds nothing else
    get: (id) => db.get(values, id) as Promise<T | undefined>,
    put: async (value) => void (await db.put(values, value)),
    delete: (id) => db.delete(values, id),
  };
}
