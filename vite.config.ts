import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

// Relative base: the built folder can be served from any path of a static host.
export default defineConfig({
  base: './',
  plugins: [react()],
  build: { target: 'es2023', chunkSizeWarningLimit: 700 },
  worker: { format: 'es' },
});
