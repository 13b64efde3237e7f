import react from '@vitejs/plugin-react';
import { playwright } from '@vitest/browser-playwright';
import { defineConfig } from 'vitest/config';
import { browserFlags, findBrowser } from './scripts/browser.mjs';
import { wgslParts } from './scripts/wgsl_parts.ts';

const executablePath = findBrowser();
// Named ahead: a dependency that Vite finds only while tests run makes it reload the page under them.
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
  'vitest-browser-react',
  'zustand',
  'zustand/vanilla',
];

const inBrowser = (name: string, include: string[]) => ({
  extends: true as const,
  optimizeDeps: { include: BUNDLED },
  test: {
    name,
    include,
    exclude: ['tests/**/*.node.test.ts'], // the node project runs them
    browser: {
      enabled: true,
      headless: true,
      screenshotFailures: false,
      viewport: { width: 1280, height: 800 },
      provider: playwright({
        launchOptions: { ...(executablePath ? { executablePath } : {}), args: browserFlags() },
      }),
      instances: [{ browser: 'chromium' as const }],
    },
  },
});

export default defineConfig({
  plugins: [react(), wgslParts()],
  test: {
    fileParallelism: false, // one GPU process and two cores: parallel files only contend
    isolate: false, // one page for all files; each file closes what it opens
    testTimeout: 120_000,
    hookTimeout: 120_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'node',
          environment: 'node',
          include: [
            'tests/{algo,bench,env,files,keep,store,train,support}/**/*.test.ts',
            'tests/*.test.ts',
            'tests/**/*.node.test.ts',
          ],
          exclude: ['tests/**/*.gpu.test.ts'],
        },
      },
      inBrowser('browser', ['tests/{kernels,model,ui}/**/*.test.{ts,tsx}', 'tests/**/*.gpu.test.ts']),
      { extends: true, test: { name: 'built', environment: 'node', include: ['tests/built/**/*.test.ts'] } },
      inBrowser('e2e', ['tests/e2e/**/*.test.{ts,tsx}']),
    ],
  },
});
