import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "../../..");

/** What the snippets use and do not declare: parts of a page and of aws-amplify. */
const prelude = `
declare const client: import("@balde/client").Client;
declare const file: Blob;
declare const img: { src: string; srcset: string };
declare const show: (part: number) => void;
declare const fetchAuthSession: () => Promise<{ tokens?: { idToken?: { toString(): string } } }>;
`;

test("the snippets of the README compile", () => {
  const text = readFileSync(join(import.meta.dirname, "../README.md"), "utf8");
  const snippets = [...text.matchAll(/```ts\n(.*?)```/gs)].map(([, code]) => code!);
  expect(snippets.length).toBe(3);
  // inside the package, so that it finds itself by its name
  const folder = mkdtempSync(join(import.meta.dirname, "../.readme-"));
  try {
    for (const [index, code] of snippets.entries()) {
      const declarations = code.includes("const client")
        ? prelude.replace(/declare const client.*\n/, "")
        : prelude;
      writeFileSync(join(folder, `${index}.ts`), `${code}\n${declarations}`);
    }
    expect(compile(snippets.map((_, index) => join(folder, `${index}.ts`)))).toBe("");
  } finally {
    rmSync(folder, { recursive: true });
  }
});

/** Returns the complaints of the compiler about the files. */
function compile(files: string[]): string {
  const tsc = join(root, "node_modules/.bin/tsc");
  const options =
    "--ignoreConfig --noEmit --strict --skipLibCheck --allowImportingTsExtensions --resolveJsonModule --module nodenext --target es2024 --types node";
  try {
    execFileSync(tsc, [...options.split(" "), "sst-env.d.ts", ...files], {
      cwd: root,
      stdio: "pipe",
    });
    return "";
  } catch (failure) {
    return String((failure as { stdout: Buffer }).stdout);
  }
}
