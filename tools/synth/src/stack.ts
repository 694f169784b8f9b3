import type { Build, Graph, Inputs, Resource } from "./graph.ts";

/** The graph as infra/stack.json contains it: the deployed resources, in a form whose changes a person can review. */
export function toStackFile(graph: Graph) {
  return {
    app: graph.app,
    stage: graph.stage,
    region: graph.region,
    account: graph.account,
    resources: graph.resources.filter(isDeployed).map(toResource),
    functions: Object.fromEntries(
      graph.functions.map((build) => [arnOf(graph, build), toFunction(build)]),
    ),
  };
}

/** JSON with sorted keys and two spaces, so that an equal graph is equal text. */
export function print(value: unknown): string {
  return `${JSON.stringify(sorted(value), null, 2)}\n`;
}

/** Left out: SST's own link records, settings of the whole account, and bundles, because nothing was bundled. */
function isDeployed({ type }: Resource) {
  return ![
    "sst:sst:LinkRef",
    "aws:apigateway/account:Account",
    "aws:s3/bucketObjectv2:BucketObjectv2",
  ].includes(type);
}

function toResource(resource: Resource) {
  const { urn, type, name, parent, id, inputs, outputs, component, dependsOn } = resource;
  return {
    urn,
    type,
    name,
    parent,
    id,
    inputs: withoutBuild(type, inputs),
    outputs: component ? {} : outputs,
    // a gateway deployment contains only what it depends on; for other types dependencies are only an order
    dependsOn: type === "aws:apigateway/deployment:Deployment" ? dependsOn : undefined,
  };
}

/** Removes the location of the bundle and the key with which SST would encrypt it. */
function withoutBuild(type: string, inputs: Inputs): Inputs {
  if (type !== "aws:lambda/function:Function") return inputs;
  const { s3Bucket: _bucket, s3Key: _key, environment, ...rest } = inputs;
  const { SST_KEY: _secret, SST_KEY_FILE: _file, ...variables } = environment?.variables ?? {};
  return { ...rest, environment: { variables } };
}

function toFunction({ functionID, handler, links, properties }: Build) {
  const { architecture, ...nodejs } = properties;
  return { name: functionID, handler, links, nodejs, architecture };
}

function arnOf(graph: Graph, { functionID }: Build): string {
  const found = graph.resources.find(
    ({ type, name }) => type === "aws:lambda/function:Function" && name === `${functionID}Function`,
  );
  if (!found)
    throw new Error(
      `SST would bundle ${functionID}, but the graph has no function ${functionID}Function`,
    );
  return found.outputs.arn;
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, inner]) => inner !== undefined)
      .toSorted(([one], [other]) => (one < other ? -1 : 1))
      .map(([key, inner]) => [key, sorted(inner)]),
  );
}
