// The build of the page: everything under relative addresses, so that it works in any folder of any server; and its service worker.
import { createHash } from "node:crypto";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

const web = fileURLToPath(new URL(".", import.meta.url));
const wheel = readdirSync(join(web, ".prepared", "wheel"))[0];

/** Writes the service worker: src/service-worker.js with the list of all files and their hashes. */
function serviceWorker() {
  return {
    name: "service-worker",
    writeBundle({ dir }) {
      const files = readdirSync(dir, { recursive: true, withFileTypes: true }).filter((file) => file.isFile());
      const paths = files.map((file) => relative(dir, join(file.parentPath, file.name)).replaceAll("\\", "/")).filter((path) => path !== "sw.js");
      const hash = (data) => createHash("sha256").update(data).digest("hex");
      const hashes = Object.fromEntries(paths.sort().map((path) => [path, hash(readFileSync(join(dir, path)))]));
      const source = readFileSync(join(web, "src", "service-worker.js"), "utf8");
      const list = JSON.stringify(hashes, null, 1);
      writeFileSync(join(dir, "sw.js"), source.replace('"FILES"', list).replace("VERSION", hash(source + list).slice(0, 16)));
    },
  };
}

export default defineConfig({
  root: web,
  base: "./",
  publicDir: ".prepared",
  define: { __WHEEL__: JSON.stringify(wheel) },
  worker: { format: "es" },
  build: { target: "es2022", cssTarget: ["chrome123", "firefox128", "safari17.5"], assetsInlineLimit: 0, chunkSizeWarningLimit: 4000, modulePreload: { polyfill: false } },
  server: { fs: { allow: [".."] } },
  plugins: [serviceWorker()],
});
