import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';
import { contentPolicy, offline } from './scripts/offline.ts';
import { wgslParts } from './scripts/wgsl_parts.ts';

// Relative base: the built folder can be served from any path of a static host.
export default defineConfig({
  base: './',
  plugins: [react(), wgslParts(), contentPolicy(), offline()],
  build: { target: 'es2023', chunkSizeWarningLimit: 700 },
  worker: { format: 'es', plugins: () => [wgslParts()] },
});
