import { readFileSync, readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { beforeAll, expect, test } from "vitest";

import {
  KNOWN as KNOWN_EVENTS,
  unemulated as unemulatedEvents,
} from "../../local-cloud/src/lambda/supported-resources.ts";
import {
  EMULATED_SETTINGS,
  KNOWN,
  MEANINGLESS_SETTINGS,
  unemulated,
} from "../../local-cloud/src/apigateway/supported-resources.ts";
import { type Known, labels } from "../../local-cloud/src/property-support.ts";
import type { Resource } from "../../local-cloud/src/graph/resource-graph.ts";
import {
  KNOWN as KNOWN_SOCKETS,
  unemulated as unemulatedSockets,
} from "../../local-cloud/src/websocket/supported-resources.ts";
import { ensure } from "../../synth/src/platform.ts";

// What can be configured of API Gateway is what AWS's provider knows. Each of its properties is emulated, or means nothing
// on a laptop, or stops the start by name; and docs/gateway.md says which.

const root = join(import.meta.dirname, "../../..");
const provider = join(root, ".sst/platform/node_modules/@pulumi/aws");

type Family = {
  module: string;
  known: Record<string, Known>;
  refuse: (resource: Resource) => string[];
};

const families: Family[] = [
  { module: "apigateway", known: KNOWN, refuse: (one) => unemulated([one]) },
  { module: "apigatewayv2", known: KNOWN_SOCKETS, refuse: unemulatedSockets },
];

beforeAll(() => ensure(root), 300_000);

/** `type` and `property` of everything that the provider's classes take. */
function properties({ module }: Family): { type: string; property: string }[] {
  const folder = join(provider, module);
  const classes = readdirSync(folder).filter((name) =>
    /^(?!get|index)[a-zA-Z]+\.d\.ts$/.test(name),
  );
  return classes.flatMap((file) => {
    const name = basename(file, ".d.ts");
    const type = `${name}:${name[0]!.toUpperCase()}${name.slice(1)}`;
    return fields(readFileSync(join(folder, file), "utf8"), `${type.split(":")[1]}Args`).map(
      (property) => ({ type, property }),
    );
  });
}

function fields(text: string, of: string): string[] {
  const body = new RegExp(`interface ${of} \\{(.*?)\\n\\s*\\}\\n`, "s").exec(text)?.[1] ?? "";
  return [...body.matchAll(/^\s+(\w+)\??:/gm)].map(([, name]) => name!);
}

const settings = () =>
  fields(readFileSync(join(provider, "types/input.d.ts"), "utf8"), "MethodSettingsSettings");

const resource = (module: string, type: string, inputs: object) =>
  ({
    urn: "",
    type: `aws:${module}/${type}`,
    name: "Odd",
    id: "odd",
    inputs,
    outputs: {},
  }) as Resource;

test.each(families)("every property of $module is known, or refused by its name", (family) => {
  const { module, known, refuse } = family;
  const all = properties(family);
  expect(all.length).toBeGreaterThan(60);
  for (const { type, property } of all) {
    if (property === "settings") continue;
    const said = refuse(resource(module, type, { [property]: "anything" })).join("\n");
    const { emulated = [], meaningless = [], only = {} } = known[type] ?? {};
    const isKnown = [...emulated, ...meaningless].includes(property) && !(property in only);
    const wanted = isKnown ? /^$/ : complaint(known[type] ? property : `aws:${module}/${type}`);
    expect(said).toMatch(wanted);
  }
});

test("so is every setting of a method", () => {
  for (const name of settings()) {
    const one = resource("apigateway", "methodSettings:MethodSettings", {
      settings: { [name]: 1 },
    });
    const isKnown = [...EMULATED_SETTINGS, ...MEANINGLESS_SETTINGS].includes(name);
    expect(unemulated([one]).join()).toMatch(isKnown ? /^$/ : complaint(name));
  }
});

test.each(families)("the list of $module has nothing that the provider has not", (family) => {
  const all = new Set(properties(family).map(({ type, property }) => `${type} ${property}`));
  const types = new Set(properties(family).map(({ type }) => type));
  for (const [type, { emulated, meaningless = [], only = {} }] of Object.entries(family.known)) {
    expect([...types]).toContain(type);
    // what Pulumi adds to every resource, and what the provider makes of it
    const own = [...emulated, ...meaningless, ...Object.keys(only)].filter(
      (property) => !labels.includes(property) && property !== "resetOnDelete",
    );
    expect(own.filter((property) => !all.has(`${type} ${property}`))).toEqual([]);
  }
});

test.each(Object.entries(KNOWN_EVENTS))(
  "so is every property of %s, which settles what becomes of an event",
  (path, { emulated, meaningless = [], only = {} }) => {
    const [module = "", type = ""] = path.split("/");
    const [file, name] = type.split(":");
    const all = fields(readFileSync(join(provider, module, `${file}.d.ts`), "utf8"), `${name}Args`);
    const listed = [...emulated, ...meaningless].filter((property) => !labels.includes(property));
    expect(listed.filter((property) => !all.includes(property))).toEqual([]);
    for (const property of all) {
      const said = unemulatedEvents([resource(module, type, { [property]: "anything" })]).join();
      const isKnown = [...emulated, ...meaningless].includes(property) && !(property in only);
      expect(said).toMatch(isKnown ? /^$/ : complaint(property));
    }
  },
);

test("docs/gateway.md names exactly what is refused", () => {
  const refused = families.map((family) => {
    const types = Map.groupBy(
      properties(family).toSorted((one, other) =>
        one.type.split(":")[0]!.localeCompare(other.type.split(":")[0]!),
      ),
      ({ type }) => type,
    );
    const whole = [...types.keys()].filter((type) => !family.known[type]);
    const rows = [...types].flatMap(([type, all]) => {
      const { emulated, meaningless = [] } = family.known[type] ?? {
        emulated: all.map(({ property }) => property),
      };
      const names = all
        .map(({ property }) => property)
        .filter((name) => ![...emulated, ...meaningless].includes(name));
      const nested = type.startsWith("methodSettings")
        ? settings()
            .filter((name) => ![...EMULATED_SETTINGS, ...MEANINGLESS_SETTINGS].includes(name))
            .map((name) => `settings.${name}`)
        : [];
      return [...names, ...nested].length > 0
        ? [row(`\`${type.split(":")[0]}\``, [...names, ...nested])]
        : [];
    });
    const title = family.module === "apigateway" ? "REST APIs, whole" : "WebSocket APIs, whole";
    return [
      row(
        title,
        whole.map((type) => type.split(":")[0]!),
      ),
      ...rows,
    ];
  });
  const text = readFileSync(join(root, "docs/gateway.md"), "utf8");
  const table = /\| of \| refused \|\n\|---\|---\|\n(.*?)\n\n/s.exec(text)?.[1]?.split("\n");
  expect(table).toEqual(refused.flat());
});

/** What the start says of the resource `Odd`. */
const complaint = (about: string) => new RegExp(`^Odd .*${about}`);

const row = (of: string, names: string[]) =>
  `| ${of} | ${names
    .toSorted()
    .map((name) => `\`${name}\``)
    .join(" ")} |`;
