import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vite'

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url))

export default defineConfig({
  root: path('.'),
  base: './', // the built pages work from any folder
  resolve: {
    // Sources, so that a change in a package is seen at once; each by the entry that a page gets.
    alias: [
      { find: /^@fep-moe\/onnx$/, replacement: path('../../packages/onnx/src/browser.ts') },
      { find: /^@fep-moe\/([^/]+)$/, replacement: path('../../packages/$1/src/index.ts') },
      {
        find: /^@fep-moe\/([^/]+)\/([^/]+)$/,
        replacement: path('../../packages/$1/src/$2/index.ts'),
      },
    ],
    // Optional peers of @fep-moe/tfjs are installed here, not there.
    dedupe: [
      '@tensorflow/tfjs-core',
      '@tensorflow/tfjs-backend-cpu',
      '@tensorflow/tfjs-backend-wasm',
      '@tensorflow/tfjs-backend-webgl',
      '@tensorflow/tfjs-backend-webgpu',
    ],
  },
  optimizeDeps: { exclude: ['onnxruntime-web'] }, // it looks for its .wasm beside its own file
  build: {
    target: 'es2022',
    chunkSizeWarningLimit: 2000, // the golden vectors of the conformance suite
    rolldownOptions: { input: [path('index.html'), path('conformance.html')] },
  },
})
