// WGSL said once: a line `// #use NAME.wgsl` stands for the text of shaders/parts/NAME.wgsl. Vite expands it where a kernel's
// text is imported, so that the expanded text is what is compiled, shown, checked and edited.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Plugin } from 'vite';

const PARTS = fileURLToPath(new URL('../shaders/parts', import.meta.url));
const USE = /^\s*\/\/ #use (\S+)\s*$/;

/** A text without `#use` lines, and the files that it was put together from, its own not among them. */
export interface ExpandedWgsl {
  readonly text: string;
  readonly files: readonly string[];
}

/**
 * The text with every `// #use NAME.wgsl` replaced by that part, which may use others; a part enters once, at its first use.
 * @param file where the text is from, for errors
 * @throws Error naming file and line where a part is not there, or uses itself
 */
export function expandWgsl(text: string, file: string, folder: string = PARTS): ExpandedWgsl {
  const files: string[] = [];
  const expand = (lines: string, within: string, open: readonly string[]): string =>
    lines
      .split('\n')
      .flatMap((line, index) => {
        const name = USE.exec(line)?.[1];
        if (name === undefined) return [line];
        const part = join(folder, name);
        const where = `${relative(process.cwd(), within)}:${index + 1} \`${line.trim()}\``;
        if (open.includes(part)) {
          const circle = [...open.slice(open.indexOf(part)), part]
            .map((path) => relative(folder, path))
            .join(' → ');
          throw new Error(`${where}: parts go in a circle, ${circle}. Take one of these lines out.`);
        }
        if (!existsSync(part)) throw new Error(`${where}: there is no such part. ${choices(folder)}`);
        if (files.includes(part)) return [];
        files.push(part);
        return [expand(readFileSync(part, 'utf8').trimEnd(), part, [...open, part])];
      })
      .join('\n');
  return { text: expand(text, file, []), files };
}

function choices(folder: string): string {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.wgsl'),
  );
  return `${relative(process.cwd(), folder)} holds ${names.sort().join(', ') || 'none'}.`;
}

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
