import react from '@vitejs/plugin-react';
import { playwright } from '@vitest/browser-playwright';
import { defineConfig } from 'vitest/config';
import { browserFlags, findBrowser } from './scripts/browser.mjs';
import { wgslParts } from './scripts/wgsl_parts.ts';

// React as it is shipped: for development it takes a stack with every element, half the time of a page's tests.
process.env.NODE_ENV = 'production';

const executablePath = findBrowser();
// Named, and no others looked for: one that Vite finds while tests run makes it reload the page under them.
const BUNDLED = [
  '@codemirror/commands',
  '@codemirror/language',
  '@codemirror/lint',
  '@codemirror/state',
  '@codemirror/view',
  '@lezer/highlight',
  'axe-core',
  'comlink',
  'fflate',
  'fzstd',
  'hyparquet',
  'idb',
  'react',
  'react/jsx-dev-runtime',
  'react/jsx-runtime',
  'react-dom',
  'react-dom/client',
  'react-error-boundary',
  'uplot',
  'valibot',
  'uqr',
  'jsqr',
  'vitest-browser-react',
  'zustand',
  'zustand/vanilla',
];

// A page of tests runs seconds of script once: V8's last optimiser, and threads that mark garbage, take more than they give.
const SCRIPT = '--js-flags=--no-turbofan --single-threaded-gc --min-semi-space-size=64';

/** @param pages files by the page that they share; each page has a browser of its own, and all run at once */
const inBrowser = (name: string, pages: Readonly<Record<string, string[]>>) => ({
  extends: true as const,
  optimizeDeps: { include: BUNDLED, noDiscovery: true },
  // Tests start many workers: in one run, whose sources stay, none asks for its modules anew.
  server: { headers: process.argv.includes('run') ? { 'Cache-Control': 'max-age=3600' } : {} },
  test: {
    name,
    exclude: ['tests/**/*.node.test.ts'], // the node project runs them
    setupFiles: ['tests/support/flush_renders.ts'],
    browser: {
      enabled: true,
      headless: true,
      fileParallelism: false, // the pages of one browser share a GPU process
      screenshotFailures: false,
      viewport: { width: 1280, height: 800 },
      provider: playwright({
        launchOptions: { ...(executablePath ? { executablePath } : {}), args: [...browserFlags(), SCRIPT] },
      }),
      instances: Object.entries(pages).map(([page, include]) => ({
        browser: 'chromium' as const,
        name: `${name}: ${page}`,
        include,
      })),
    },
  },
});

export default defineConfig({
  plugins: [react(), wgslParts()],
  test: {
    maxWorkers: 2, // of Node; the browsers run beside them
    isolate: false, // files share a page, or a worker; each closes what it opens
    testTimeout: 120_000,
    expect: { poll: { timeout: 30_000, interval: 20 } }, // cores that do other work make a state come later, not never
    hookTimeout: 120_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'node',
          environment: 'node',
          include: [
            'tests/{algo,bench,env,experiment,files,keep,store,train,support}/**/*.test.ts',
            'tests/*.test.ts',
            'tests/**/*.node.test.ts',
          ],
          exclude: ['tests/**/*.gpu.test.ts'],
        },
      },
      inBrowser('browser', {
        engine: ['tests/{kernels,model}/**/*.test.ts', 'tests/**/*.gpu.test.ts'],
        // Two pages of about the same length; what trains on the device of its page is on the first.
        'lab 1': ['tests/ui/{[a-k],p[!i]}*.test.{ts,tsx}'],
        'lab 2': ['tests/ui/{[!a-kp],pi}*.test.{ts,tsx}'],
        e2e: ['tests/e2e/**/*.test.{ts,tsx}'],
      }),
      { extends: true, test: { name: 'built', environment: 'node', include: ['tests/built/**/*.test.ts'] } },
      {
        extends: true,
        test: { name: 'firefox', environment: 'node', include: ['tests/firefox/**/*.test.ts'] },
      },
    ],
  },
});
