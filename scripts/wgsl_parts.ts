// WGSL said once: a line `// #use NAME` stands for the part of that name, the lines after `// #part NAME` in a file of
// shaders/parts. Vite expands it where a kernel's text is imported, so that the expanded text is what is compiled, shown,
// checked and edited.
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Plugin } from 'vite';

const PARTS = fileURLToPath(new URL('../shaders/parts', import.meta.url));
const USE = /^\s*\/\/ #use (\S+)\s*$/;
const PART = /^\/\/ #part (\S+)\s*$/;

/** Lines that kernels share, as they stand in their file. */
export interface WgslPart {
  readonly file: string;
  readonly line: number; // of the first line of `text`, from 1
  readonly text: string;
}

/** A text without `#use` lines, and the files that its parts stand in. */
export interface ExpandedWgsl {
  readonly text: string;
  readonly files: readonly string[];
}

/**
 * All parts of a folder, by name. What stands before a file's first part is about the file, and no part's text.
 * @throws Error naming file and line where a second part has a name
 */
export function wgslPartsOf(folder: string = PARTS): ReadonlyMap<string, WgslPart> {
  const parts = new Map<string, WgslPart>();
  for (const name of readdirSync(folder).filter((each) => each.endsWith('.wgsl'))) {
    const file = join(folder, name);
    const lines = readFileSync(file, 'utf8').split('\n');
    const heads = lines.flatMap((line, index) => {
      const part = PART.exec(line)?.[1];
      return part === undefined ? [] : [{ part, index }];
    });
    heads.forEach(({ part, index }, place) => {
      const other = parts.get(part);
      if (other)
        throw new Error(
          `${shown(file)}:${index + 1} \`// #part ${part}\`: this name is taken by ${shown(other.file)}:${other.line - 1}. Give one of them another.`,
        );
      const text = lines
        .slice(index + 1, heads[place + 1]?.index)
        .join('\n')
        .trimEnd();
      parts.set(part, { file, line: index + 2, text });
    });
  }
  return parts;
}

/**
 * The text with every `// #use NAME` replaced by that part, which may use others; a part enters once, at its first use.
 * @param file where the text is from, for errors
 * @throws Error naming file and line where a part is not there, or uses itself
 */
export function expandWgsl(text: string, file: string, folder: string = PARTS): ExpandedWgsl {
  const parts = wgslPartsOf(folder);
  const entered = new Set<string>();
  const expand = (within: WgslPart, open: readonly string[]): string =>
    within.text
      .split('\n')
      .flatMap((line, index) => {
        const name = USE.exec(line)?.[1];
        if (name === undefined) return [line];
        const where = `${shown(within.file)}:${within.line + index} \`${line.trim()}\``;
        if (open.includes(name)) {
          const circle = [...open.slice(open.indexOf(name)), name].join(' → ');
          throw new Error(`${where}: parts go in a circle, ${circle}. Take one of these lines out.`);
        }
        const part = parts.get(name);
        if (!part)
          throw new Error(
            `${where}: there is no such part. ${shown(folder)} holds ${[...parts.keys()].sort().join(', ') || 'none'}.`,
          );
        if (entered.has(name)) return [];
        entered.add(name);
        return [expand(part, [...open, name])];
      })
      .join('\n');
  const expanded = expand({ file, line: 1, text }, []);
  return { text: expanded, files: [...new Set([...entered].map((name) => parts.get(name)!.file))] };
}

const shown = (path: string): string => relative(process.cwd(), path);

/** Vite's plugin: a kernel imported with `?raw` gives the expanded text, again whenever one of its parts changes. */
export function wgslParts(): Plugin {
  return {
    name: 'wgsl-parts',
    enforce: 'pre', // before Vite's own ?raw
    load: {
      filter: { id: /\.wgsl\?raw\b/ },
      handler(id) {
        const file = id.replace(/\?.*$/, '');
        const { text, files } = expandWgsl(readFileSync(file, 'utf8'), file);
        for (const path of [file, ...files]) this.addWatchFile(path);
        return { code: `export default ${JSON.stringify(text)};`, moduleType: 'js', map: null };
      },
    },
  };
}
