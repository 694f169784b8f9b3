import { readFileSync } from "node:fs";

import { StartError } from "../start-error.ts";
import type { FunctionSource, GraphFile, ResourceInFile } from "./graph-file.ts";
import { problemsOf } from "./problems.ts";
import {
  type Inputs,
  type Outputs,
  type ResourceType,
  currentName,
  isRead,
} from "./resource-types.ts";

export type { FunctionSource };

/** The resource graph of one stage: every resource that is read has the properties of its type. */
export type ResourceGraph = {
  app: string;
  stage: string;
  region: string;
  account: string;
  resources: Resource[];
  /** SST's components and other resources that are not read; they say which resource belongs to what. */
  others: Node[];
  /** What SST would bundle for each Lambda function, by the function's ARN. */
  functions: Record<string, FunctionSource>;
};

/** A place in the tree of resources. */
export type Node = Pick<ResourceInFile, "urn" | "type" | "name" | "parent" | "id" | "dependsOn">;

/** A resource of one type, or of any when none is named. */
export type Resource<Type extends ResourceType = ResourceType> = {
  [Each in Type]: Omit<Node, "type"> & { type: Each; inputs: Inputs<Each>; outputs: Outputs<Each> };
}[Type];

/**
 * Returns the resource graph that a file holds, as `pnpm synth` writes it.
 * @throws StartError naming every resource, property and value that is not emulated.
 */
export function loadGraph(file: string): ResourceGraph {
  return parseGraph(JSON.parse(readFileSync(file, "utf8")));
}

/**
 * Returns a graph with typed resources.
 * @throws StartError naming every resource, property and value that is not emulated.
 */
export function parseGraph(file: GraphFile): ResourceGraph {
  const problems = file.resources.flatMap(problemsOf);
  if (problems.length > 0)
    throw new StartError(
      `The local cloud does not emulate everything in this resource graph:\n- ${problems.join("\n- ")}`,
    );
  const all = file.resources.map((resource) => ({ ...resource, type: currentName(resource.type) }));
  return {
    ...file,
    // checked against the properties of its type just now
    resources: all.filter(({ type }) => isRead(type)) as unknown as Resource[],
    others: all.filter(({ type }) => !isRead(type)),
  };
}

/** Returns the resources of one type, in the order of the graph. */
export const resourcesOf = <Type extends ResourceType>(
  graph: ResourceGraph,
  type: Type,
): Resource<Type>[] =>
  // the compiler does not see that `type` chooses one member of the union
  graph.resources.filter((resource) => resource.type === type) as Resource<Type>[];

/** Returns the Lambda function of an ARN without a qualifier. */
export const functionByArn = (graph: ResourceGraph, arn: string) =>
  resourcesOf(graph, "aws:lambda/function:Function").find(({ outputs }) => outputs.arn === arn);

/** Returns the name that a person gave to a resource: that of the outermost component above it. */
export function logicalName(graph: ResourceGraph, resource: Node): string {
  const parent = [...graph.others, ...graph.resources].find(({ urn }) => urn === resource.parent);
  if (!parent || parent.type === "pulumi:pulumi:Stack") return resource.name;
  return logicalName(graph, parent);
}
