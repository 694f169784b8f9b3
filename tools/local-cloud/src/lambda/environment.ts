import type { FunctionSource, Resource, ResourceGraph } from "../graph/resource-graph.ts";

/** The credentials of a function's role. */
export type RoleKeys = { accessKeyId: string; secretAccessKey: string; sessionToken?: string };

type EnvironmentOptions = {
  graph: ResourceGraph;
  keys: RoleKeys;
  /** URL of each emulated service by the name that the AWS SDK gives it: S3, DYNAMODB, SQS … */
  endpoints: Record<string, string>;
  /** The value behind a `secret://name` of the graph. */
  secrets: (name: string) => string;
};

/** Returns the environment variables of a function. None of the developer's own variables is among them. */
export function environment(
  resource: Resource<"aws:lambda/function:Function">,
  source: FunctionSource,
  options: EnvironmentOptions,
) {
  const { graph, keys, endpoints, secrets } = options;
  const { name, memorySize = 128, runtime = "nodejs24.x" } = resource.inputs;
  const logGroup = resource.inputs.loggingConfig?.logGroup ?? `/aws/lambda/${name ?? resource.id}`;
  return {
    ...systemVariables(),
    ...linkVariables(source, graph, secrets),
    ...withSecrets(withoutBundleKeys(resource.inputs.environment?.variables ?? {}), secrets),
    // https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime
    AWS_REGION: graph.region,
    AWS_DEFAULT_REGION: graph.region,
    AWS_LAMBDA_FUNCTION_NAME: name ?? resource.id,
    AWS_LAMBDA_FUNCTION_VERSION: "$LATEST",
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(memorySize),
    AWS_LAMBDA_LOG_GROUP_NAME: logGroup,
    AWS_LAMBDA_LOG_STREAM_NAME: `${new Date().toISOString().slice(0, 10).replaceAll("-", "/")}/[$LATEST]local`,
    AWS_LAMBDA_INITIALIZATION_TYPE: "on-demand",
    AWS_EXECUTION_ENV: `AWS_Lambda_${runtime}`,
    AWS_XRAY_CONTEXT_MISSING: "LOG_ERROR",
    AWS_ACCESS_KEY_ID: keys.accessKeyId,
    AWS_SECRET_ACCESS_KEY: keys.secretAccessKey,
    ...(keys.sessionToken && { AWS_SESSION_TOKEN: keys.sessionToken }),
    ...Object.fromEntries(
      Object.entries(endpoints).map(([service, url]) => [`AWS_ENDPOINT_URL_${service}`, url]),
    ),
  };
}

function linkVariables(
  source: FunctionSource,
  graph: ResourceGraph,
  secrets: EnvironmentOptions["secrets"],
) {
  const all = { App: { name: graph.app, stage: graph.stage }, ...source.links };
  return Object.fromEntries(
    Object.entries(all).map(([name, link]) => [
      `SST_RESOURCE_${name}`,
      JSON.stringify(withSecrets(link, secrets)),
    ]),
  );
}

/** SST_KEY and SST_KEY_FILE decrypt a file that only a deployed bundle has. */
function withoutBundleKeys(variables: Record<string, string>) {
  return Object.fromEntries(
    Object.entries(variables).filter(([name]) => !name.startsWith("SST_KEY")),
  );
}

function withSecrets<T>(value: T, secrets: EnvironmentOptions["secrets"]): T {
  const text = JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === "string" && inner.startsWith("secret://")
      ? secrets(inner.slice("secret://".length))
      : inner,
  );
  return JSON.parse(text);
}

function systemVariables() {
  // Windows cannot open a socket without SystemRoot
  const { PATH, SystemRoot } = process.env;
  return {
    PATH,
    LANG: "en_US.UTF-8",
    TZ: ":UTC",
    ...(SystemRoot && { SystemRoot }),
  };
}
