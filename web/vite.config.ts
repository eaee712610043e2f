import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';
import type { Plugin } from 'vite';
import { startMock } from './dev/mock.mjs';

/** Writes a .br and a .gz beside each file that gains by it, so that the server compresses nothing while it runs. */
function compressed(): Plugin {
  return {
    name: 'lampworks-compressed',
    apply: 'build',
    writeBundle({ dir = 'dist' }) {
      for (const entry of readdirSync(dir, { recursive: true, withFileTypes: true })) {
        if (!entry.isFile() || !/\.(js|css|svg|html)$/.test(entry.name)) continue;
        const path = join(entry.parentPath, entry.name);
        const plain = readFileSync(path);
        const br = brotliCompressSync(plain, { params: { [constants.BROTLI_PARAM_SIZE_HINT]: plain.length } });
        if (br.length > plain.length * 0.9) continue;
        writeFileSync(`${path}.br`, br);
        writeFileSync(`${path}.gz`, gzipSync(plain, { level: 9 }));
      }
    },
  };
}

/** Plays the API while one works on the pages; LAMPWORKS_URL names a real server instead. */
function mock(port: number): Plugin {
  return {
    name: 'lampworks-mock',
    apply: 'serve',
    async configureServer(server) {
      if (process.env['LAMPWORKS_URL'] || process.env['VITEST']) return;
      const playing = await startMock({ port });
      server.httpServer?.once('close', () => void playing.close());
      server.config.logger.info(`  open /#token=${playing.token}`);
    },
  };
}

const mockPort = 8099;
const server = process.env['LAMPWORKS_URL'] ?? `http://127.0.0.1:${mockPort}`;

export default defineConfig({
  plugins: [react(), compressed(), mock(mockPort)],
  build: {
    target: 'es2022',
    assetsInlineLimit: 0, // nothing as data: URL, everything under a hashed name
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    rolldownOptions: {
      output: {
        // What every page needs and we do not write: one file, kept by browsers from one version to the next.
        codeSplitting: {
          groups: [
            {
              name: 'vendor',
              test: /node_modules[\\/](react|react-dom|scheduler|use-sync-external-store|openapi-fetch|@tanstack)[\\/]/,
            },
            // What every page has of ours: one file compresses better than a dozen small ones.
            {
              name: 'frame',
              test: /src[\\/](api|shared|shell|session[\\/](session|SignInForm)|texts[\\/]texts)(?!.*(Keys|MenuBody|NameForm))/,
            },
          ],
        },
      },
    },
  },
  server: { port: 5173, proxy: { '/api': { target: server } } },
  test: { environment: 'happy-dom', include: ['src/**/*.test.{ts,tsx}'], css: false },
});
