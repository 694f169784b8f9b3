import type { Node, Resource, ResourceGraph } from "../graph/resource-graph.ts";

// A deployment holds these. Resources, models and the like are named by methods, which bring them along.
const DEPLOYED_TYPES = new Set<string>([
  "aws:apigateway/method:Method",
  "aws:apigateway/integration:Integration",
  "aws:apigateway/methodResponse:MethodResponse",
  "aws:apigateway/integrationResponse:IntegrationResponse",
  "aws:apigateway/response:Response",
]);

/**
 * Returns a sentence for each resource that may be missing from a deployment in AWS. A deployment is a snapshot of what
 * exists when it is created, and only the resources that it depends on are sure to exist then.
 */
export function resourcesOutsideDeployment(
  graph: ResourceGraph,
  restApiId: string,
  deployment: Resource<"aws:apigateway/deployment:Deployment">,
): string[] {
  // a graph without any dependencies was written without them
  if (!graph.resources.some(({ dependsOn }) => dependsOn)) return [];
  const reached = reachableFrom(graph, deployment);
  return graph.resources
    .filter(
      ({ type, inputs, urn }) =>
        DEPLOYED_TYPES.has(type) &&
        ("restApi" in inputs ? inputs.restApi : "restApiId" in inputs && inputs.restApiId) ===
          restApiId &&
        !reached.has(urn),
    )
    .map(
      ({ name, type }) =>
        `${name} (${type}): the deployment ${deployment.name} does not depend on it and may be created before it`,
    );
}

function reachableFrom(graph: ResourceGraph, from: Node): Set<string> {
  const nodes: Node[] = [...graph.others, ...graph.resources];
  const byUrn = new Map(nodes.map((node) => [node.urn, node]));
  const children = Map.groupBy(nodes, ({ parent }) => parent);
  const reached = new Set<string>();
  const visit = (urn: string) => {
    if (reached.has(urn)) return;
    reached.add(urn);
    const resource = byUrn.get(urn);
    resource?.dependsOn?.forEach(visit);
    // a dependency on a component includes everything in it
    if (resource && isComponent(resource)) children.get(urn)?.forEach((child) => visit(child.urn));
  };
  from.dependsOn?.forEach(visit);
  return reached;
}

const isComponent = ({ type }: Node) => type.startsWith("sst:");
