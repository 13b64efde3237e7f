// What the built site adds to the page: a Content-Security-Policy, and a service worker that keeps every file of the site.
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Plugin } from 'vite';

const WORKER = 'service_worker.js';

/**
 * Own origin only, nothing inline, no eval. `blob:` of images: a drawing is saved by way of one.
 * docs/hosting.md gives it as a header, with what only a header can say.
 */
export const CONTENT_POLICY = [
  "default-src 'self'",
  "img-src 'self' data: blob:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');

/** Vite's plugin, for builds: index.html says the policy itself, so that any static host will do. */
export function contentPolicy(): Plugin {
  return {
    name: 'content-policy',
    apply: 'build',
    transformIndexHtml: () => [
      {
        tag: 'meta',
        attrs: { 'http-equiv': 'Content-Security-Policy', content: CONTENT_POLICY },
        injectTo: 'head-prepend',
      },
    ],
  };
}

/** Vite's plugin, for builds: writes service_worker.js with the names of all files of the site and a digest of them. */
export function offline(): Plugin {
  let publicFolder = '';
  return {
    name: 'offline',
    apply: 'build',
    enforce: 'post',
    configResolved(config) {
      publicFolder = config.publicDir;
    },
    buildStart() {
      this.emitFile({ type: 'chunk', id: 'src/service_worker.ts', fileName: WORKER });
    },
    generateBundle: {
      order: 'post',
      handler(_, bundle) {
        const digest = createHash('sha256');
        const publicFiles = readdirSync(publicFolder, { recursive: true, withFileTypes: true })
          .filter((entry) => entry.isFile())
          .map((entry) => join(entry.parentPath, entry.name).slice(publicFolder.length + 1));
        for (const name of publicFiles.sort())
          digest.update(name).update(readFileSync(join(publicFolder, name)));
        for (const [name, file] of Object.entries(bundle).sort())
          digest.update(name).update(file.type === 'chunk' ? file.code : file.source);
        const built = Object.keys(bundle).filter((name) => name !== WORKER && !name.endsWith('.map'));
        const files = [...built, ...publicFiles.map((name) => name.replaceAll('\\', '/'))];
        const paths = files.map((name) => (name === 'index.html' ? './' : name)).sort();
        const chunk = bundle[WORKER];
        if (chunk.type !== 'chunk') throw new Error(`${WORKER}: got an asset, wanted a chunk.`);
        if (chunk.imports.length > 0)
          throw new Error(`${WORKER} imports ${chunk.imports.join(', ')}; it must stand alone.`);
        const version = digest.digest('hex').slice(0, 16);
        chunk.code = `const VERSION=${JSON.stringify(version)},FILES=${JSON.stringify(paths)};\n${chunk.code}`;
      },
    },
  };
}
