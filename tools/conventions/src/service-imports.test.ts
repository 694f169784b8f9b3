import { readFileSync, readdirSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import { expect, test } from "vitest";

// The local cloud has a folder per AWS service. Services import each other in one direction only, types included.

const source = join(import.meta.dirname, "../../local-cloud/src");

/** Returns the services that each service imports. */
function importsByService(files: Record<string, string>): Map<string, Set<string>> {
  const services = new Map<string, Set<string>>();
  for (const [path, text] of Object.entries(files)) {
    const [service, file] = path.split(sep);
    if (!file) continue;
    const imported = services.get(service!) ?? new Set<string>();
    services.set(service!, imported);
    for (const [, target = ""] of text.matchAll(/\b(?:from|import)\s*\(?\s*"(\.[^"]+)"/g)) {
      const [other, inFolder] = relative(source, resolve(source, dirname(path), target)).split(sep);
      if (inFolder && other !== service && other !== "..") imported.add(other!);
    }
  }
  return services;
}

/** Returns the services of the first circles that are found. */
function circleIn(services: Map<string, Set<string>>): string[] {
  const visit = (service: string, path: string[]): string[] | undefined => {
    if (path.includes(service)) return [...path.slice(path.indexOf(service)), service];
    for (const other of services.get(service) ?? []) {
      const circle = visit(other, [...path, service]);
      if (circle) return circle;
    }
    return undefined;
  };
  return [...services.keys()].flatMap((service) => visit(service, []) ?? []).slice(0, 5);
}

const files = Object.fromEntries(
  readdirSync(source, { recursive: true, encoding: "utf8" })
    .filter((path) => /^(?!.*\.(?:test|fixture)\.ts$).*\.ts$/.test(path))
    .map((path) => [path, readFileSync(join(source, path), "utf8")]),
);

test("the services of the local cloud import each other without a circle", () => {
  expect(importsByService(files).size).toBeGreaterThan(8);
  expect(circleIn(importsByService(files))).toEqual([]);
});

test("a circle of type imports between services is found", () => {
  const planted = {
    ...files,
    [join("xray", "planted.ts")]: `import type { Functions } from "../lambda/functions.ts";`,
  };
  expect(circleIn(importsByService(planted))).toContain("xray");
});
