/** The folder as one file. Fetched, with its templates, when somebody asks for it. */
import { strToU8, zipSync } from 'fflate';
import type { RunConfig } from '../units.ts';
import { verlFolder } from './folder.ts';
import { notExpressed } from './settings.ts';

/** @returns the bytes of the zip, and the settings that neither verl nor the folder can say, by their paths */
export function verlZip(config: RunConfig): {
  readonly zip: Uint8Array<ArrayBuffer>;
  readonly left: readonly string[];
} {
  const name = `${config.algorithm.name}-verl`;
  const files = [...verlFolder(config)].map(([file, text]) => [`${name}/${file}`, strToU8(text)] as const);
  const zip = new Uint8Array(zipSync(Object.fromEntries(files))); // of its own buffer
  return { zip, left: notExpressed(config).map(({ path }) => path) };
}
