/** Files of rollouts for tests: of the fixtures' folder, or of texts. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { importFiles, type Import, type ImportOptions } from '../../src/files/rollouts/import.ts';
import type { ImportFile } from '../../src/files/rollouts/source.ts';

export const IMPORTS = join(import.meta.dirname, '../fixtures/imports');

/** A file, or all files of a folder, named from the fixtures' folder. */
export function fixtureFiles(name: string): readonly ImportFile[] {
  const path = join(IMPORTS, name);
  if (statSync(path).isDirectory())
    return readdirSync(path).flatMap((entry) => fixtureFiles(join(name, entry)));
  return [{ path: name, blob: new Blob([readFileSync(path)]) }];
}

export const importFixture = (name: string, options: ImportOptions = {}): Promise<Import> =>
  importFiles(fixtureFiles(name), options);

/** A text or bytes as one file. */
export const importText = (
  content: string | Uint8Array<ArrayBuffer>,
  options: ImportOptions & { readonly path?: string } = {},
): Promise<Import> =>
  importFiles([{ path: options.path ?? 'rollouts.jsonl', blob: new Blob([content]) }], options);
