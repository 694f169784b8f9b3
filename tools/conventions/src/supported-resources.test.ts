import { existsSync, readFileSync, readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";

import { isIgnored } from "../../local-cloud/src/graph/ignored-types.ts";
import { problemsOf } from "../../local-cloud/src/graph/problems.ts";
import { labels } from "../../local-cloud/src/graph/properties.ts";
import { RESOURCE_TYPES, isRead } from "../../local-cloud/src/graph/resource-types.ts";
import { ensure } from "../../synth/src/platform.ts";

// What can be configured is what AWS's Pulumi provider knows. Each of its properties is known to the local cloud, or stops
// the start by its name; and docs/gateway.md lists what is refused of API Gateway.

const root = join(import.meta.dirname, "../../..");
const provider = join(root, ".sst/platform/node_modules/@pulumi/aws");

beforeAll(() => ensure(root), 300_000);

type Property = { name: string; declaration: string };

/** Returns the properties that the provider's class takes: `aws:s3/bucket:Bucket` is `BucketArgs` in s3/bucket.d.ts. */
function propertiesOf(type: string): Property[] {
  const [, module = "", file = "", name = ""] = /^aws:(\w+)\/(\w+):(\w+)$/.exec(type) ?? [];
  return fieldsOf(readFileSync(join(provider, module, `${file}.d.ts`), "utf8"), `${name}Args`);
}

function fieldsOf(text: string, interfaceName: string): Property[] {
  const found = new RegExp(`interface ${interfaceName} \\{(.*?)\\n\\s*\\}\\n`, "s").exec(text);
  return [...(found?.[1] ?? "").matchAll(/^\s+(\w+)\??: (.*)$/gm)].map(
    ([, name = "", declaration = ""]) => ({ name, declaration }),
  );
}

/** Returns the names within a property such as `settings?: pulumi.Input<inputs.apigateway.MethodSettingsSettings>`. */
function namesWithin({ declaration }: Property): string[] {
  const [, module, interfaceName = ""] = /inputs\.(\w+)\.(\w+)/.exec(declaration) ?? [];
  const text = readFileSync(join(provider, "types/input.d.ts"), "utf8");
  const [, namespace = ""] =
    new RegExp(`export declare namespace ${module} \\{(.*?)\\n\\}`, "s").exec(text) ?? [];
  return fieldsOf(`${namespace}\n`, interfaceName).map(({ name }) => name);
}

type Schema = { _zod: { def: { type: string } } };

/** Returns the properties of a schema of an object, or of a list of them. */
function shapeOf(schema: Schema): Record<string, Schema> | undefined {
  const def = schema._zod.def as { type: string } & Record<string, never>;
  if (def.type === "optional") return shapeOf(def["innerType"]!);
  if (def.type === "array") return shapeOf(def["element"]!);
  return def.type === "object" ? def["shape"] : undefined;
}

const knownOf = (type: string): Record<string, Schema> =>
  isRead(type) ? shapeOf(RESOURCE_TYPES[type].inputs as Schema)! : {};

const problemsWith = (type: string, inputs: object) =>
  problemsOf({ urn: "", type, name: "Odd", id: "odd", inputs, outputs: {} });

describe.each(Object.keys(RESOURCE_TYPES))("%s", (type) => {
  test("has no property that the provider does not have", () => {
    const all = propertiesOf(type);
    expect(all.length).toBeGreaterThan(0);
    const unknown = Object.entries(knownOf(type)).flatMap(([name, schema]) => {
      if (name in labels) return [];
      const property = all.find((one) => one.name === name);
      if (!property) return [name];
      const within = namesWithin(property);
      return Object.keys(shapeOf(schema) ?? {})
        .filter((inner) => !within.includes(inner))
        .map((inner) => `${name}.${inner}`);
    });
    expect(unknown).toEqual([]);
  });

  test("refuses every other property of the provider by its name", () => {
    for (const { name } of propertiesOf(type)) {
      if (name in knownOf(type)) continue;
      expect(problemsWith(type, { [name]: "anything" })).toContain(
        `Odd (${type}): ${name} = "anything" is not emulated`,
      );
    }
  });
});

/** Returns the types of a module of the provider: `aws:apigateway/stage:Stage`. */
function typesOf(module: string): string[] {
  return readdirSync(join(provider, module))
    .filter((name) => /^(?!get|index)[a-zA-Z]+\.d\.ts$/.test(name))
    .map((name) => basename(name, ".d.ts"))
    .map((name) => `aws:${module}/${name}:${name[0]!.toUpperCase()}${name.slice(1)}`)
    .filter((type) => propertiesOf(type).length > 0)
    .toSorted();
}

/** Returns what the table of docs/gateway.md says of a type: the properties that are refused, and those within. */
function refusedOf(type: string): string[] {
  const known = knownOf(type);
  return propertiesOf(type).flatMap((property) => {
    const { name } = property;
    if (!(name in known)) return [name];
    const within = name === "settings" ? shapeOf(known[name]!) : undefined;
    return within
      ? namesWithin(property)
          .filter((inner) => !(inner in within))
          .map((inner) => `${name}.${inner}`)
      : [];
  });
}

test("docs/gateway.md names exactly what is refused of API Gateway", () => {
  const rows = [
    { module: "apigateway", title: "REST APIs, whole" },
    { module: "apigatewayv2", title: "WebSocket APIs, whole" },
  ].flatMap(({ module, title }) => {
    const types = typesOf(module).filter((type) => !isIgnored(type));
    const refused = types.filter((type) => !isRead(type)).map(nameOf);
    const properties = types
      .filter(isRead)
      .map((type) => ({ type, names: refusedOf(type) }))
      .filter(({ names }) => names.length > 0)
      .map(({ type, names }) => row(`\`${nameOf(type)}\``, names));
    return [row(title, refused), ...properties];
  });
  const text = readFileSync(join(root, "docs/gateway.md"), "utf8");
  const table = /\| of \| refused \|\n\|---\|---\|\n(.*?)\n\n/s.exec(text)?.[1]?.split("\n");
  expect(table).toEqual(rows);
});

test("every ignored type of AWS is in the provider", () => {
  const modules = readdirSync(provider).filter((name) =>
    existsSync(join(provider, name, "index.d.ts")),
  );
  const ignored = modules.flatMap(typesOf).filter(isIgnored);
  expect(ignored.length).toBeGreaterThan(5);
  expect(ignored.filter(isRead)).toEqual([]);
});

const nameOf = (type: string) => /\/(\w+):/.exec(type)![1]!;

const row = (of: string, names: string[]) =>
  `| ${of} | ${names
    .toSorted()
    .map((name) => `\`${name}\``)
    .join(" ")} |`;
