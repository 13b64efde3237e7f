/** Files of this site in this browser (the origin private file system). Used in a worker: only there it writes in place. */
import { blobSource, type Bytes, type ByteSource } from '../files/members.ts';

/** Paths are folders and a name, with slashes between: 'runs/…/log.ndjson.gz'. Errors are the platform's. */
export interface Disk {
  /** Puts bytes at the end of a file, made where it is not there. Resolves with the new size when they are on disk. */
  append(path: string, bytes: Bytes): Promise<number>;
  /** A whole file, in place of the one before. */
  write(path: string, bytes: Bytes): Promise<void>;
  /** null where there is none */
  read(path: string): Promise<Blob | null>;
  truncate(path: string, bytes: number): Promise<void>;
  /** Names of files; none where the folder is not there. */
  list(folder: string): Promise<readonly string[]>;
  /** A file or a whole folder; nothing happens where it is not there. */
  remove(path: string): Promise<void>;
}

export const sourceOf = async (disk: Disk, path: string): Promise<ByteSource> =>
  blobSource((await disk.read(path)) ?? new Blob([]));

/** In workers; the DOM library knows only what windows have. */
interface SyncAccessHandle {
  getSize(): number;
  write(bytes: Bytes, options: { readonly at: number }): number;
  truncate(size: number): void;
  flush(): void;
  close(): void;
}
type WritableFile = FileSystemFileHandle & { createSyncAccessHandle(): Promise<SyncAccessHandle> };

const isMissing = (error: unknown): boolean =>
  error instanceof DOMException && (error.name === 'NotFoundError' || error.name === 'TypeMismatchError');

/** The disk of this origin. @throws whatever the browser says where storage is blocked */
export async function openDisk(): Promise<Disk> {
  const root = await navigator.storage.getDirectory();
  const split = (path: string): readonly [readonly string[], string] => {
    const parts = path.split('/');
    return [parts.slice(0, -1), parts[parts.length - 1]];
  };
  const folderOf = async (parts: readonly string[], create: boolean): Promise<FileSystemDirectoryHandle> => {
    let folder = root;
    for (const part of parts) folder = await folder.getDirectoryHandle(part, { create });
    return folder;
  };
  const fileOf = async (path: string, create: boolean): Promise<WritableFile> => {
    const [folders, name] = split(path);
    return (await (await folderOf(folders, create)).getFileHandle(name, { create })) as WritableFile;
  };
  const change = async <T>(path: string, work: (handle: SyncAccessHandle) => T): Promise<T> => {
    const handle = await (await fileOf(path, true)).createSyncAccessHandle();
    try {
      const result = work(handle);
      handle.flush();
      return result;
    } finally {
      handle.close();
    }
  };
  const orNone = async <T>(work: Promise<T>): Promise<T | null> =>
    work.catch((error: unknown) => {
      if (isMissing(error)) return null;
      throw error;
    });
  const put = (handle: SyncAccessHandle, bytes: Bytes, at: number): void => {
    const written = handle.write(bytes, { at });
    if (written === bytes.length) return;
    handle.truncate(at); // nothing is left half written
    throw new DOMException(`${written} of ${bytes.length} bytes fitted`, 'QuotaExceededError');
  };
  return {
    append: (path, bytes) =>
      change(path, (handle) => {
        put(handle, bytes, handle.getSize());
        return handle.getSize();
      }),
    write: (path, bytes) =>
      change(path, (handle) => {
        handle.truncate(0);
        put(handle, bytes, 0);
      }),
    read: async (path) => (await orNone(fileOf(path, false)))?.getFile() ?? null,
    truncate: (path, bytes) => change(path, (handle) => handle.truncate(bytes)),
    async list(folder) {
      const handle = await orNone(folderOf(folder.split('/'), false));
      const names: string[] = [];
      if (handle) for await (const name of handle.keys()) names.push(name);
      return names;
    },
    async remove(path) {
      const [folders, name] = split(path);
      const folder = await orNone(folderOf(folders, false));
      if (folder) await orNone(folder.removeEntry(name, { recursive: true }));
    },
  };
}
