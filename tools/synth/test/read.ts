import { type Graph, type Inputs, resourcesOfType, parentOf, type Resource } from "../src/graph.ts";

export type Graphs = { laptop: Graph; production: Graph; dev: Graph };

export type Statement = {
  Effect: "Allow" | "Deny";
  Action: string | string[];
  Resource?: string | string[];
  Principal?: string | Record<string, string | string[]>;
  Condition?: Record<string, Record<string, string | string[]>>;
};

export const list = <Value>(value: Value | Value[] | undefined): Value[] =>
  value === undefined ? [] : Array.isArray(value) ? value : [value];

/** The statements of a policy, which is JSON text or, where Pulumi's own helper made it, an object; the provider accepts both. */
export const statements = (policy: string | { Statement: Statement[] }): Statement[] =>
  (typeof policy === "string" ? JSON.parse(policy) : policy).Statement;

/** The statements of all policies of a role. */
export const permissionsOf = ({ inputs }: Resource): Statement[] =>
  list(inputs.inlinePolicies).flatMap(({ policy }: Inputs) => statements(policy));

export const trust = ({ inputs }: Resource) => statements(inputs.assumeRolePolicy);

export const roles = (graph: Graph) => resourcesOfType(graph, "aws:iam/role:Role");
export const functions = (graph: Graph) => resourcesOfType(graph, "aws:lambda/function:Function");

/** The name in infra, for example `ApiHandler`. */
export const logical = (graph: Graph, resource: Resource) =>
  parentOf(graph, resource)?.name ?? resource.name;

export const functionOf = (graph: Graph, arn: string) =>
  functions(graph).find(({ outputs }) => outputs.arn === arn)!;

export const roleOf = (graph: Graph, { inputs }: Resource) =>
  roles(graph).find(({ outputs }) => outputs.arn === inputs.role)!;

/** Shortens ARNs so that a reviewer can read them. */
export function shorten(graph: Graph, arn: string) {
  return arn
    .replaceAll(`:${graph.region}:${graph.account}:`, ":")
    .replaceAll(`${graph.app}-${graph.stage}-`, "")
    .replaceAll(/-[a-z]{8}(?=\/|$|:)/g, "")
    .replace(/^arn:aws:/, "");
}

export type Endpoint = {
  route: string;
  path: string;
  method: Resource;
  integration: Resource;
  responses: Resource[];
  methodResponses: Resource[];
};

/** Every method of the REST API with its integration and responses. */
export function endpoints(graph: Graph): Endpoint[] {
  const same = (one: Resource, other: Resource) =>
    one.inputs.resourceId === other.inputs.resourceId &&
    one.inputs.httpMethod === other.inputs.httpMethod;
  const of = (type: string, method: Resource) =>
    resourcesOfType(graph, `aws:apigateway/${type}`).filter((resource) => same(resource, method));
  return resourcesOfType(graph, "aws:apigateway/method:Method")
    .map((method) => {
      const path = pathOf(graph, method.inputs.resourceId);
      return {
        path,
        route: `${method.inputs.httpMethod} ${path}`,
        method,
        integration: of("integration:Integration", method)[0]!,
        responses: of("integrationResponse:IntegrationResponse", method),
        methodResponses: of("methodResponse:MethodResponse", method),
      };
    })
    .toSorted((one, other) => (one.path + one.route < other.path + other.route ? -1 : 1));
}

export const endpoint = (graph: Graph, route: string) =>
  endpoints(graph).find((endpoint) => endpoint.route === route)!;

function pathOf(graph: Graph, resourceId: string): string {
  const found = resourcesOfType(graph, "aws:apigateway/resource:Resource").find(
    ({ id }) => id === resourceId,
  );
  return found ? `${pathOf(graph, found.inputs.parentId)}/${found.inputs.pathPart}` : "";
}

/** The constant value of a mapping. */
export const constantOf = (mapping: string) => /^'(.*)'$/.exec(mapping)?.[1];
