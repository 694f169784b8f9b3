import { type ResourceGraph, functionByArn, resourcesOf } from "../graph/resource-graph.ts";
import type * as Policy from "../iam/policy.ts";

/** Returns a function's resource policy, which is the sum of its permissions; undefined if the graph has no such function. */
export function resourcePolicyOf(
  graph: ResourceGraph,
  arn: string,
): Policy.Statement[] | undefined {
  const fn = functionByArn(graph, arn);
  if (!fn) return undefined;
  return resourcesOf(graph, "aws:lambda/permission:Permission")
    .filter(({ inputs }) => [arn, fn.id].includes(inputs.function))
    .map(({ inputs }) => ({
      Effect: "Allow",
      Principal: { Service: inputs.principal },
      Action: inputs.action,
      Resource: arn,
      Condition: {
        ...(inputs.sourceArn ? { ArnLike: { "aws:SourceArn": inputs.sourceArn } } : {}),
        ...(inputs.sourceAccount
          ? { StringEquals: { "aws:SourceAccount": inputs.sourceAccount } }
          : {}),
      },
    }));
}
