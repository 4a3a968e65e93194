import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import react from "@vitejs/plugin-react";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

const app = resolve(import.meta.dirname, "..");

/** The server's page, and the one that a client serves of itself. */
const PAGES = ["index.html", "client.html"];

/** Pages are served from templates/ and everything else from static/, so the built pages move there. */
function pagesIntoTemplates(): Plugin {
  return {
    name: "pages-into-templates",
    apply: "build",
    writeBundle() {
      for (const name of PAGES) {
        const page = resolve(app, "templates", name);
        mkdirSync(dirname(page), { recursive: true });
        renameSync(resolve(app, "static", name), page);
      }
    },
  };
}

/** Smaller files are not worth a second and third one. */
const LEAST_BYTES = 1024;
/** Of gzip's header (RFC 1952): which system made the file, which is to be the same everywhere. */
const SYSTEM_AT = 9;
const UNKNOWN_SYSTEM = 255;

/** Puts a .br and a .gz beside each text file, which `app/web/assets.py` serves in its place. The same bytes each time. */
function compressed(): Plugin {
  return {
    name: "compressed",
    apply: "build",
    writeBundle({ dir }, bundle) {
      for (const name of Object.keys(bundle).filter((each) => /\.(js|css|svg)$/.test(each))) {
        const path = resolve(dir ?? ".", name);
        const bytes = readFileSync(path);
        if (bytes.length < LEAST_BYTES) continue;
        const gzip = gzipSync(bytes, { level: constants.Z_BEST_COMPRESSION });
        gzip[SYSTEM_AT] = UNKNOWN_SYSTEM;
        writeFileSync(`${path}.gz`, gzip);
        const quality = { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY };
        writeFileSync(`${path}.br`, brotliCompressSync(bytes, { params: quality }));
      }
    },
  };
}

export default defineConfig({
  base: "/static/",
  experimental: {
    // Below a path, the server corrects the addresses in the page; those in scripts follow from their own.
    renderBuiltUrl: (filename, { hostType }) =>
      hostType === "html" ? `/static/${filename}` : { relative: true },
  },
  plugins: [react(), pagesIntoTemplates(), compressed()],
  build: {
    outDir: resolve(app, "static"),
    emptyOutDir: true,
    // The strict Content-Security-Policy allows data: for images only; fonts must stay files.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // Libraries change rarely and the page often: apart, a rebuild leaves most of the committed bytes alone.
    rolldownOptions: {
      input: PAGES.map((name) => resolve(import.meta.dirname, name)),
      output: {
        codeSplitting: {
          groups: [
            { name: "charts", test: /node_modules[\\/](echarts|zrender)[\\/]/, priority: 2 },
            { name: "vendor", test: /node_modules[\\/]/, priority: 1 },
          ],
        },
      },
    },
    chunkSizeWarningLimit: 700,
  },
  server: {
    proxy: {
      "/api": "http://127.0.0.1:5000",
      "/socket.io": { target: "http://127.0.0.1:5000", ws: true },
    },
  },
  test: {
    // A limit for what hangs, not for what is slow on a machine that is busy otherwise.
    testTimeout: 60_000,
    projects: [
      { extends: true, test: { name: "functions", environment: "node", include: ["src/**/*.test.ts"] } },
      {
        extends: true,
        test: {
          name: "components",
          environment: "jsdom",
          include: ["src/**/*.test.tsx"],
          setupFiles: ["src/testing/setup.ts"],
        },
      },
    ],
  },
});
