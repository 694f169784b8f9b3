/** One path segment of an API's resource tree. */
export type RouteNode<T> = {
  methods: Map<string, T>;
  literals: Map<string, RouteNode<T>>;
  parameter: { name: string; node: RouteNode<T> } | undefined;
  greedy: { name: string; methods: Map<string, T> } | undefined;
};

export type RouteMatch<T> = { method: T; parameters: Record<string, string> | null };

export const createNode = <T>(): RouteNode<T> => ({
  methods: new Map(),
  literals: new Map(),
  parameter: undefined,
  greedy: undefined,
});

export function add<T>(root: RouteNode<T>, path: string, httpMethod: string, method: T) {
  let node = root;
  for (const part of path.split("/").filter(Boolean)) {
    const name = part.startsWith("{") ? part.slice(1, -1) : undefined;
    if (name?.endsWith("+")) {
      node.greedy ??= { name: name.slice(0, -1), methods: new Map() };
      node.greedy.methods.set(httpMethod, method);
      return;
    }
    node = name ? parameterOf(node, name, path) : literalOf(node, part);
  }
  node.methods.set(httpMethod, method);
}

/**
 * Finds the (resource, method) pair: literal before `{param}` before `{proxy+}`, an explicit method before ANY, and back
 * up the tree when the more specific resource lacks the method: a POST-only `/test` lets `GET /test` through to
 * `/{proxy+}`. [V-AWS]
 */
export function match<T>(
  root: RouteNode<T>,
  segments: string[],
  httpMethod: string,
): RouteMatch<T> | undefined {
  const parameters: Record<string, string> = Object.create(null);
  const method = search(root, segments, 0, httpMethod, parameters);
  if (method === undefined) return undefined;
  for (const _ in parameters) return { method, parameters };
  return { method, parameters: null };
}

function search<T>(
  node: RouteNode<T>,
  segments: string[],
  at: number,
  httpMethod: string,
  parameters: Record<string, string>,
): T | undefined {
  if (at === segments.length) return pick(node.methods, httpMethod);
  const segment = segments[at] ?? "";
  const literal = node.literals.get(segment);
  const exact = literal && search(literal, segments, at + 1, httpMethod, parameters);
  if (exact) return exact;
  if (node.parameter && segment) {
    const found = search(node.parameter.node, segments, at + 1, httpMethod, parameters);
    if (found) {
      parameters[node.parameter.name] = segment;
      return found;
    }
  }
  const tail = segments.slice(at).join("/");
  const rest = node.greedy && tail ? pick(node.greedy.methods, httpMethod) : undefined;
  if (rest && node.greedy) parameters[node.greedy.name] = tail;
  return rest;
}

const pick = <T>(methods: Map<string, T>, httpMethod: string) =>
  methods.get(httpMethod) ?? (ANY.has(httpMethod) ? methods.get("ANY") : undefined);

const ANY = new Set(["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"]);

function literalOf<T>(node: RouteNode<T>, part: string) {
  const found = node.literals.get(part) ?? createNode<T>();
  node.literals.set(part, found);
  return found;
}

// API Gateway refuses a second path parameter beside the first
function parameterOf<T>(node: RouteNode<T>, name: string, path: string) {
  node.parameter ??= { name, node: createNode() };
  if (node.parameter.name === name) return node.parameter.node;
  throw new Error(`${path}: a sibling ({${node.parameter.name}}) already has a variable path part`);
}
