import { mkdirSync, renameSync } from "node:fs";
import { dirname, resolve } from "node:path";
import react from "@vitejs/plugin-react";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

const app = resolve(import.meta.dirname, "..");

/** Flask serves the page from templates/ and everything else from static/, so the built page moves there. */
function pageIntoTemplates(): Plugin {
  return {
    name: "page-into-templates",
    apply: "build",
    writeBundle() {
      const page = resolve(app, "templates/index.html");
      mkdirSync(dirname(page), { recursive: true });
      renameSync(resolve(app, "static/index.html"), page);
    },
  };
}

export default defineConfig({
  base: "/static/",
  plugins: [react(), pageIntoTemplates()],
  build: {
    outDir: resolve(app, "static"),
    emptyOutDir: true,
    // The strict Content-Security-Policy allows data: for images only; fonts must stay files.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // Libraries change rarely and the page often: apart, a rebuild leaves most of the committed bytes alone.
    rolldownOptions: {
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
