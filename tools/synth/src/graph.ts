/** Every resource that the program declared for one stage, with everything that Pulumi received about it. */
export type Graph = {
  app: string;
  stage: string;
  dev: boolean;
  /** What `sst remove` does with the stage's data: `retain`, `retain-all` or `remove`. */
  removal: string;
  protect: boolean;
  region: string;
  account: string;
  resources: Resource[];
  functions: Build[];
};

export type Resource = {
  urn: string;
  type: string;
  name: string;
  parent?: string;
  /** A component only groups resources; it has no id and nothing in the cloud. */
  component: boolean;
  id: string;
  inputs: Inputs;
  /** Made up by resource-outputs.ts, in addition to the inputs; for a component its registered outputs. */
  outputs: Inputs;
  dependsOn: string[];
  retainOnDelete: boolean;
  protect: boolean;
};

// AWS's resource types have many shapes; each reader narrows the few fields that it uses
// oxlint-disable-next-line typescript/no-explicit-any
export type Inputs = Record<string, any>;

/** What SST would bundle: the input of `Runtime.Build`, or of `Runtime.AddTarget` under `sst dev`. */
export type Build = {
  functionID: string;
  handler: string;
  links: Record<string, object>;
  properties: { architecture: "x86_64" | "arm64" } & Record<string, unknown>;
};

/** The resources of one Pulumi type. */
export const resourcesOfType = (graph: Graph, type: string) =>
  graph.resources.filter((resource) => resource.type === type);

/**
 * The resource with this logical name.
 *
 * @throws Error if there is none or more than one
 */
export const resourceNamed = (graph: Graph, name: string) => {
  const found = graph.resources.filter((resource) => resource.name === name);
  if (found.length !== 1) throw new Error(`${found.length} resources are named ${name}`);
  return found[0]!;
};

/** The component that contains a resource, if it has one. */
export const parentOf = (graph: Graph, resource: Resource) =>
  graph.resources.find(({ urn }) => urn === resource.parent);
