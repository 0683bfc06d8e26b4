// Bundles src/ into build/: hashed names, and manifest.json which says which file is which.

import { build } from "esbuild";
import { mkdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { basename, dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const out = join(here, "build");
const fresh = `${out}.new`;
const entries = ["page.js", "chart.js", "screen.js", "theme.js", "client.js", "track.js", "canvas.js", "page.css", "canvas.css", "mark.svg"];

/** The first page must stay light; charts are fetched only where there are some. */
const LIMITS_BYTES = { "page.js": 120_000, "theme.js": 4_000, "screen.js": 20_000, "client.js": 8_000, "track.js": 2_000, "canvas.js": 60_000 };

await rm(fresh, { recursive: true, force: true });
await mkdir(fresh, { recursive: true });
const result = await build({
  absWorkingDir: here,
  entryPoints: entries.map((name) => ({ in: `src/${name}`, out: basename(name, extname(name)) })),
  outdir: fresh,
  entryNames: "[name]-[hash]",
  loader: { ".svg": "copy" },
  bundle: true,
  minify: true,
  sourcemap: false,
  format: "iife",
  target: ["chrome87", "safari15", "firefox100"],
  legalComments: "linked",
  metafile: true,
  logLevel: "warning",
});

const manifest = {};
for (const [path, made] of Object.entries(result.metafile.outputs)) {
  if (made.entryPoint) manifest[basename(made.entryPoint)] = basename(path);
}
for (const name of entries) {
  const { size } = await stat(join(fresh, manifest[name]));
  if (size > (LIMITS_BYTES[name] ?? Infinity)) throw new Error(`${name} has grown to ${size} bytes`);
  console.log(`${name.padEnd(10)} ${String(size).padStart(8)} bytes`);
}
await writeFile(join(fresh, "manifest.json"), JSON.stringify(manifest, null, 2));
await rm(out, { recursive: true, force: true });
await rename(fresh, out);
