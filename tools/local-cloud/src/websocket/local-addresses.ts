import type { ResourceGraph } from "../graph/resource-graph.ts";

/** The URL of a stage in AWS, `wss://…`, and its path on the local server. */
export type StageAddress = { endpoint: string; path: string };

/** Returns the graph with the URLs of WebSocket APIs in links and environments replaced by local ones. */
export function withLocalAddresses(
  graph: ResourceGraph,
  places: StageAddress[],
  url: string,
): ResourceGraph {
  if (places.length === 0) return graph;
  const here = <Value>(value: Value): Value => {
    let text = JSON.stringify(value);
    for (const { endpoint, path } of places)
      text = text
        .replaceAll(endpoint, url.replace(/^http/, "ws") + path)
        .replaceAll(endpoint.replace(/^wss/, "https"), url + path);
    return JSON.parse(text);
  };
  return {
    ...graph,
    functions: here(graph.functions),
    resources: graph.resources.map((resource) =>
      resource.type === "aws:lambda/function:Function" && resource.inputs.environment
        ? {
            ...resource,
            inputs: { ...resource.inputs, environment: here(resource.inputs.environment) },
          }
        : resource,
    ),
  };
}
