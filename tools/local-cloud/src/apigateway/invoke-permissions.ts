import * as Policy from "../iam/policy.ts";
import type { Principals } from "../iam/principals.ts";
import { type ResourceGraph, resourcesOf } from "../graph/resource-graph.ts";

/** Returns checks whether the gateway may invoke a function: by a permission in the graph, or as the role of an integration. */
export function createPermissions(graph: ResourceGraph, principals: Principals) {
  const statements = new Map<string, Policy.Statement[]>();
  for (const { name, inputs } of resourcesOf(graph, "aws:lambda/permission:Permission")) {
    const functionArn = arnOf(graph, inputs.function);
    const conditions = {
      ...(inputs.sourceArn && { ArnLike: { "aws:SourceArn": inputs.sourceArn } }),
      ...(inputs.sourceAccount && {
        StringEquals: { "aws:SourceAccount": inputs.sourceAccount },
      }),
    };
    const document = {
      Statement: {
        Effect: "Allow",
        Action: inputs.action,
        Principal: { Service: inputs.principal },
        Resource: functionArn,
        ...(Object.keys(conditions).length > 0 && { Condition: conditions }),
      },
    };
    const before = statements.get(functionArn) ?? [];
    statements.set(functionArn, [...before, ...Policy.parse(document, name)]);
  }

  return {
    mayInvoke(functionArn: string, sourceArn: string): boolean {
      const unqualified = functionArn.split(":").slice(0, 7).join(":");
      return Policy.evaluate(statements.get(unqualified) ?? [], {
        action: "lambda:InvokeFunction",
        resource: unqualified,
        principal: { Service: "apigateway.amazonaws.com" },
        context: { "aws:SourceArn": sourceArn, "aws:SourceAccount": graph.account },
      }).allowed;
    },

    mayInvokeAsRole(roleArn: string, functionArn: string): boolean {
      try {
        const role = principals.forRole(roleArn, "apigateway.amazonaws.com");
        return Policy.evaluate(role.statements, {
          action: "lambda:InvokeFunction",
          resource: functionArn,
        }).allowed;
      } catch {
        return false; // the role does not exist or does not trust the gateway
      }
    },
  };
}

export type Permissions = ReturnType<typeof createPermissions>;

/** Returns the ARN for the name or ARN in a permission. */
function arnOf(graph: ResourceGraph, name: string): string {
  if (name.startsWith("arn:")) return name.split(":").slice(0, 7).join(":");
  return `arn:aws:lambda:${graph.region}:${graph.account}:function:${name}`;
}
