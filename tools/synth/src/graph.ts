/** Every resource that the program made in one stage, with all that Pulumi was told about it. */
export type Graph = {
  app: string;
  stage: string;
  dev: boolean;
  /** What `sst remove` does with the stage. */
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
  /** A component has no id and nothing in the cloud: it groups. */
  component: boolean;
  id: string;
  inputs: Inputs;
  /** Made up by mocks.ts, beyond the inputs; a component's registered outputs. */
  outputs: Inputs;
  dependsOn: string[];
  retainOnDelete: boolean;
  protect: boolean;
};

// as many shapes as AWS has resources: each reader narrows the few fields it is about
// oxlint-disable-next-line typescript/no-explicit-any
export type Inputs = Record<string, any>;

/** What SST would bundle: the input of `Runtime.Build`, or of `Runtime.AddTarget` under `sst dev`. */
export type Build = {
  functionID: string;
  handler: string;
  links: Record<string, object>;
  properties: { architecture: "x86_64" | "arm64" } & Record<string, unknown>;
};

export const ofType = (graph: Graph, type: string) =>
  graph.resources.filter((resource) => resource.type === type);

export const named = (graph: Graph, name: string) => {
  const found = graph.resources.filter((resource) => resource.name === name);
  if (found.length !== 1) throw new Error(`${found.length} resources are named ${name}`);
  return found[0]!;
};

export const parentOf = (graph: Graph, resource: Resource) =>
  graph.resources.find(({ urn }) => urn === resource.parent);
