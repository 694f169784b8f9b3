import { readFileSync } from "node:fs";

/** The resource graph of one stage, as `pnpm synth` writes it. */
export type ResourceGraph = {
  app: string;
  stage: string;
  region: string;
  account: string;
  resources: Resource[];
  /** What SST would bundle for each Lambda function, by the function's ARN. */
  functions: Record<string, FunctionSource>;
};

export type Resource = {
  urn: string;
  type: string;
  name: string;
  parent?: string;
  /** Made up, stable: the physical name of a bucket, table or function, the URL of a queue. */
  id: string;
  // Pulumi's inputs are as many shapes as AWS has resources; each reader narrows the few fields it emulates.
  // oxlint-disable-next-line typescript/no-explicit-any
  inputs: Record<string, any>;
  // oxlint-disable-next-line typescript/no-explicit-any
  outputs: Record<string, any>;
  dependsOn?: string[];
};

export type FunctionSource = {
  /** Logical name: what a person calls it. */
  name: string;
  /** `path/from/root.exportedName`. */
  handler: string;
  links: Record<string, object>;
  nodejs?: {
    minify?: boolean;
    splitting?: boolean;
    sourcemap?: boolean;
    banner?: string;
    install?: Record<string, string>;
    esbuild?: object;
  };
  architecture: "x86_64" | "arm64";
};

export function loadGraph(file: string): ResourceGraph {
  return JSON.parse(readFileSync(file, "utf8"));
}

export const resourcesOf = (graph: ResourceGraph, type: string) =>
  graph.resources.filter((resource) => resource.type === type);

const byUrn = (graph: ResourceGraph, urn: string) =>
  graph.resources.find((resource) => resource.urn === urn);

export const resourceByArn = (graph: ResourceGraph, arn: string) =>
  graph.resources.find((resource) => resource.outputs.arn === arn);

/** The name a person gave it: that of the outermost component above the resource. */
export function logicalName(graph: ResourceGraph, resource: Resource): string {
  const parent = resource.parent ? byUrn(graph, resource.parent) : undefined;
  if (!parent || parent.type === "pulumi:pulumi:Stack") return resource.name;
  return logicalName(graph, parent);
}
