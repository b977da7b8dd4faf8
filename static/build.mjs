// Builds static/dist: one style sheet, one script a kind of page, shared chunks. `--watch` rebuilds, `--test` runs the tests.
import { build, context } from "esbuild";
import { readdirSync, rmSync, writeFileSync, mkdirSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { dirname, join } from "node:path";

const here = dirname(fileURLToPath(import.meta.url));
const dist = join(here, "dist");
const alias = {
  // lang-markdown asks for HTML, JavaScript and CSS grammars that a programme never needs: a third of the bundle
  "@codemirror/lang-html": join(here, "src/no-html.ts"),
  // CodeMirror's style rules become constructed style sheets, which a strict content policy allows
  "style-mod": join(here, "src/style-sheets.ts"),
};

/** Measures as classes, since style attributes are refused: v-37 sets --v, n-37 sets --n. */
const measures = {
  name: "measures",
  setup(builder) {
    builder.onResolve({ filter: /measures\.css$/ }, args => ({ path: args.path, namespace: "measures" }));
    builder.onLoad({ filter: /.*/, namespace: "measures" }, () => ({
      contents: Array.from({ length: 101 }, (_, i) => `.v-${i}{--v:${i}}.n-${i}{--n:${i}}`).join("\n"),
      loader: "css",
    }));
  },
};

const options = {
  absWorkingDir: here,
  entryPoints: { page: "src/page.ts", workspace: "src/workspace.ts", desk: "src/desk.ts", drafting: "styles/drafting.css" },
  outdir: dist,
  bundle: true,
  splitting: true,
  format: "esm",
  target: ["chrome123", "firefox121", "safari17.5"],
  minify: true,
  legalComments: "none",
  alias,
  plugins: [measures],
  logLevel: "info",
};

if (process.argv.includes("--test")) {
  const out = join(here, "dist-test");
  rmSync(out, { recursive: true, force: true });
  const tests = readdirSync(join(here, "test")).filter(name => name.endsWith(".test.ts"));
  await build({ ...options, entryPoints: tests.map(name => `test/${name}`), outdir: out, splitting: false, minify: false, platform: "node", target: "node20", outExtension: { ".js": ".mjs" }, alias: { "@codemirror/lang-html": alias["@codemirror/lang-html"] }, logLevel: "warning" });
  const run = spawnSync(process.execPath, ["--test", ...tests.map(name => join(out, name.replace(/\.ts$/, ".mjs")))], { stdio: "inherit" });
  rmSync(out, { recursive: true, force: true });
  process.exit(run.status ?? 1);
} else if (process.argv.includes("--watch")) {
  const watching = await context({ ...options, minify: false, sourcemap: "inline" });
  await watching.watch();
} else {
  mkdirSync(dist, { recursive: true });
  const result = await build({ ...options, metafile: true });
  const files = Object.entries(result.metafile.outputs).map(([name, output]) => [name.replace(/^dist\//, ""), output.bytes]);
  // a server may be serving from here: new files first, then the old ones go
  const made = new Set(files.map(([name]) => name));
  for (const name of readdirSync(dist)) if (!made.has(name)) rmSync(join(dist, name), { recursive: true });
  writeFileSync(join(dist, "files.json"), JSON.stringify(Object.fromEntries(files), null, 1));
}
