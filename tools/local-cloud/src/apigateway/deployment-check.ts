import type { Resource, ResourceGraph } from "../graph/resource-graph.ts";

// made of other resources' ids, so that the methods bring them along
const SNAPSHOT = new Set([
  "aws:apigateway/method:Method",
  "aws:apigateway/integration:Integration",
  "aws:apigateway/methodResponse:MethodResponse",
  "aws:apigateway/integrationResponse:IntegrationResponse",
  "aws:apigateway/response:Response",
]);

/**
 * Sentences about what would be missing in AWS: a deployment is a snapshot of what exists when it is made, and only what
 * it depends on certainly does.
 */
export function missing(graph: ResourceGraph, restApiId: string, deployment: Resource): string[] {
  // a graph that was written without dependencies says nothing about them
  if (!graph.resources.some(({ dependsOn }) => dependsOn)) return [];
  const reached = closure(graph, deployment);
  return graph.resources
    .filter(
      ({ type, inputs, urn }) =>
        SNAPSHOT.has(type) &&
        (inputs["restApi"] ?? inputs["restApiId"]) === restApiId &&
        !reached.has(urn),
    )
    .map(
      ({ name, type }) =>
        `${name} (${type}): the deployment ${deployment.name} does not depend on it and may be made before it`,
    );
}

function closure(graph: ResourceGraph, from: Resource): Set<string> {
  const byUrn = new Map(graph.resources.map((resource) => [resource.urn, resource]));
  const children = Map.groupBy(graph.resources, ({ parent }) => parent);
  const reached = new Set<string>();
  const visit = (urn: string) => {
    if (reached.has(urn)) return;
    reached.add(urn);
    const resource = byUrn.get(urn);
    resource?.dependsOn?.forEach(visit);
    // to depend on a component is to depend on everything in it
    if (resource && isComponent(resource)) children.get(urn)?.forEach((child) => visit(child.urn));
  };
  from.dependsOn?.forEach(visit);
  return reached;
}

const isComponent = ({ type }: Resource) => type.startsWith("sst:");
