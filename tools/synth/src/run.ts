import crypto from "node:crypto";
import { writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

import * as DataSources from "./data-sources.ts";
import type { Graph, Inputs, Resource } from "./graph.ts";
import * as Program from "./program.ts";
import * as Rpc from "./rpc.ts";
import * as ResourceOutputs from "./resource-outputs.ts";

/** Pulumi wraps values that are not plain and marks them: https://github.com/pulumi/pulumi/blob/master/sdk/nodejs/runtime/rpc.ts */
const signature = "4dabf18193072939515e22adb298388d";
const secretSignature = "1b47061264138c4ac30d75fd1eb44270";
const resourceSignature = "5cf8f73096256a8f31e491e813e4eb8e";

/**
 * Runs the program once, in a process of its own, because SST keeps state in modules, changes the working folder, and has no
 * other end than an empty event loop.
 */
const bundle: Program.Bundle & { out: string } = JSON.parse(process.argv[2]!);
const { root, repository, work, stage, dev, out } = bundle;

// physical names end in eight random bytes; zeros make them the same on every run
const { randomBytes } = crypto;
crypto.randomBytes = ((size: number) =>
  size === 8 ? Buffer.alloc(8) : randomBytes(size)) as typeof randomBytes;

const fromPlatform = createRequire(join(repository, ".sst/platform/package.json"));
const pulumi = fromPlatform("@pulumi/pulumi");
const settings = fromPlatform("@pulumi/pulumi/runtime/settings");

const app = await Program.loadApp(bundle);
const { region } = app.providers.aws as { region: string };
const { url, builds } = await Rpc.serve(root, work);
process.env.SST_SERVER = url;
process.env.SST_AWS_REGION = region;

const resources: Resource[] = [];
const problems = new Map<string, string>();
process.on("unhandledRejection", (reason) => {
  const text = reason instanceof Error ? (reason.stack ?? reason.message) : String(reason);
  // one mistake rejects every output that depends on it
  problems.set(text.split("\n")[0]!, text);
});

await pulumi.runtime.setMocks(
  {
    newResource: ({
      type,
      name,
      inputs,
      custom,
    }: {
      type: string;
      name: string;
      inputs: Inputs;
      custom?: boolean;
    }) => {
      if (!custom) return { id: undefined, state: {} };
      const { id, outputs } = ResourceOutputs.outputsOf(type, name, plain(inputs), { region });
      return { id, state: { ...plain(inputs), ...outputs } };
    },
    call: ({ token, inputs }: { token: string; inputs: Inputs }) =>
      DataSources.answerCall(token, plain(inputs), region),
  },
  app.name,
  stage,
  false,
);
record(settings.getMonitor());

process.on("beforeExit", () => {
  if (process.exitCode) return;
  if (problems.size > 0) {
    console.error([...problems.values()].join("\n"));
    process.exitCode = 1;
    return;
  }
  const graph: Graph = {
    app: app.name,
    stage,
    dev,
    removal: app.removal,
    protect: app.protect,
    region,
    account: ResourceOutputs.account,
    // the order of registration varies
    resources: resources.toSorted(by(({ urn }) => urn)),
    functions: builds.toSorted(by(({ functionID }) => functionID)),
  };
  writeFileSync(out, JSON.stringify(graph));
});

const { default: program } = await import(await Program.bundleProgram(bundle, app));
// links and transforms need a root stack
await pulumi.runtime.runInPulumiStack(program);

/** Pulumi's mocks receive only part of a resource; parent, dependencies and options are in the request. */
function record(monitor: Record<string, Function>) {
  // the real engine leaves the stack out of a type's chain of parents, the mock does not
  monitor.newUrn = (parent: string, type: string, name: string) => {
    const chain = parent ? parent.split("::")[2]! : "";
    const qualified = chain && chain !== "pulumi:pulumi:Stack" ? `${chain}$${type}` : type;
    return `urn:pulumi:${stage}::${app.name}::${qualified}::${name}`;
  };
  const register = monitor.registerResource!.bind(monitor);
  monitor.registerResource = (request: Request, callback: Callback) =>
    register(request, (error: unknown, response: Response) => {
      if (!error && request.getType() !== "pulumi:pulumi:Stack")
        resources.push(resource(request, response));
      callback(error, response);
    });
  const registerOutputs = monitor.registerResourceOutputs!.bind(monitor);
  monitor.registerResourceOutputs = (request: Request, callback: Callback) => {
    const found = resources.find(({ urn }) => urn === request.getUrn());
    if (found) found.outputs = plain(request.getOutputs()?.toJavaScript() ?? {});
    registerOutputs(request, callback);
  };
}

function resource(request: Request, response: Response): Resource {
  const inputs = plain(request.getObject().toJavaScript());
  const state = plain(response.getObject().toJavaScript());
  const added = Object.entries(state).filter(([key]) => !(key in inputs));
  const parent = request.getParent();
  return {
    urn: response.getUrn(),
    type: request.getType(),
    name: request.getName(),
    ...(parent && !parent.includes("::pulumi:pulumi:Stack::") && { parent }),
    component: !request.getCustom(),
    id: response.getId(),
    inputs,
    outputs: Object.fromEntries(added),
    dependsOn: request.getDependenciesList().toSorted(),
    retainOnDelete: request.getRetainondelete() ?? false,
    protect: request.getProtect() ?? false,
  };
}

/** Removes Pulumi's wrapping: a secret becomes its value, a resource its URN. */
function plain(value: Inputs): Inputs {
  return unwrap(value) as Inputs;
}

function unwrap(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(unwrap);
  if (value === null || typeof value !== "object") return value;
  const wrapped = value as Record<string, unknown>;
  switch (wrapped[signature]) {
    case undefined:
      return Object.fromEntries(
        Object.entries(wrapped)
          .filter(([, inner]) => inner !== undefined && inner !== null)
          .map(([key, inner]) => [key, unwrap(inner)]),
      );
    case secretSignature:
      return unwrap(wrapped.value);
    case resourceSignature:
      return wrapped.urn;
    default:
      return { asset: true };
  }
}

function by<Value>(key: (value: Value) => string) {
  return (one: Value, other: Value) => (key(one) < key(other) ? -1 : 1);
}

type Callback = (error: unknown, response: unknown) => void;
type Struct = { toJavaScript(): Inputs };
type Request = {
  getType(): string;
  getName(): string;
  getParent(): string;
  getUrn(): string;
  getCustom(): boolean;
  getObject(): Struct;
  getOutputs(): Struct | undefined;
  getDependenciesList(): string[];
  getRetainondelete(): boolean | undefined;
  getProtect(): boolean | undefined;
};
type Response = { getUrn(): string; getId(): string; getObject(): Struct };
