import { StartError } from "../start-error.ts";
import { type Resource, resourcesOf } from "../graph/resource-graph.ts";
import type { OwnResources } from "./compile-context.ts";
import { compileAccessLog } from "./access-log-format.ts";
import { compileAuthorization } from "./compile-authorization.ts";
import { compileIntegration } from "./compile-integration.ts";
import type {
  CompiledApi,
  BodyValidator,
  GatewayResponseSettings,
  Method,
  Stage,
} from "./types.ts";
import { gatewayResponseMappings } from "./parameter-mappings.ts";
import * as MediaType from "./media-type.ts";
import type { Dependencies } from "./dependencies.ts";
import { createPermissions } from "./invoke-permissions.ts";
import { GATEWAY_RESPONSE_TYPES } from "./gateway-error.ts";
import * as ResourcePolicy from "./resource-policy.ts";
import * as RouteTree from "./route-tree.ts";
import { resourcesOutsideDeployment } from "./deployment-check.ts";
import { compileModels, requiredParameterKeys } from "./validate-request.ts";

/** Returns the stages of the graph, compiled. @throws StartError that names everything that is not emulated or that AWS would refuse. */
export function compile(dependencies: Dependencies): Stage[] {
  const { graph } = dependencies;
  const problems: string[] = [];
  const stages = resourcesOf(graph, "aws:apigateway/stage:Stage").flatMap((stage) => {
    const deployment = resourcesOf(graph, "aws:apigateway/deployment:Deployment").find(
      ({ id }) => id === stage.inputs.deployment,
    );
    const restApi = resourcesOf(graph, "aws:apigateway/restApi:RestApi").find(
      ({ id }) => id === stage.inputs.restApi,
    );
    if (!deployment || !restApi) {
      problems.push(`${stage.name}: its deployment or API is not in the graph`);
      return [];
    }
    problems.push(...resourcesOutsideDeployment(graph, restApi.id, deployment));
    const variables = { ...deployment.inputs.variables, ...stage.inputs.variables };
    return {
      api: compileApi(restApi, stage.inputs.stageName, dependencies, problems),
      name: stage.inputs.stageName,
      deploymentId: deployment.id,
      variables: Object.keys(variables).length > 0 ? variables : null,
      isTraced: stage.inputs.xrayTracingEnabled ?? false,
      accessLog: accessLog(stage, problems),
    };
  });
  if (problems.length > 0)
    throw new StartError(
      `The local API Gateway cannot serve this graph:\n- ${problems.join("\n- ")}`,
    );
  return stages;
}

function accessLog({ name, inputs }: Resource<"aws:apigateway/stage:Stage">, problems: string[]) {
  const { format, destinationArn } = inputs.accessLogSettings ?? {};
  if (!format) return undefined;
  try {
    if (!destinationArn?.startsWith("arn:aws:logs:"))
      throw new Error(`an access log to ${destinationArn} is not emulated, only a log group is`);
    return compileAccessLog(format);
  } catch (error) {
    problems.push(`${name}: ${(error as Error).message}`);
    return undefined;
  }
}

type RestApi = Resource<"aws:apigateway/restApi:RestApi">;

function compileApi(
  restApi: RestApi,
  stageName: string,
  dependencies: Dependencies,
  problems: string[],
): CompiledApi {
  const { graph } = dependencies;
  const own: OwnResources = (type) =>
    resourcesOf(graph, type).filter(({ inputs }) => apiIdOf(inputs) === restApi.id);
  const executionArn =
    restApi.outputs.executionArn ??
    `arn:aws:execute-api:${graph.region}:${graph.account}:${restApi.id}`;
  const policy =
    restApi.inputs.policy ?? own("aws:apigateway/restApiPolicy:RestApiPolicy")[0]?.inputs.policy;
  const api: CompiledApi = {
    id: restApi.id,
    name: restApi.inputs.name ?? restApi.name,
    executionArn,
    binaryMediaTypes: MediaType.create(restApi.inputs.binaryMediaTypes ?? []),
    apiKeySource: restApi.inputs.apiKeySource ?? "HEADER",
    policy: policy ? ResourcePolicy.compile(policy, executionArn) : undefined,
    routes: RouteTree.createNode(),
    gatewayResponses: gatewayResponses(own("aws:apigateway/response:Response"), problems),
  };
  const paths = resourcePaths(restApi, own("aws:apigateway/resource:Resource"));
  const models = readModels(own("aws:apigateway/model:Model"), restApi);
  const context = {
    api,
    stageName,
    own,
    dependencies,
    permissions: createPermissions(graph, dependencies.principals),
  };
  for (const method of own("aws:apigateway/method:Method")) {
    try {
      const path = paths(method.inputs.resourceId);
      RouteTree.add(api.routes, path, method.inputs.httpMethod, {
        resourceId: method.inputs.resourceId,
        resourcePath: path,
        httpMethod: method.inputs.httpMethod,
        authorization: compileAuthorization(method, context),
        apiKeyRequired: method.inputs.apiKeyRequired ?? false,
        ...validation(method, own("aws:apigateway/requestValidator:RequestValidator"), models),
        ...compileIntegration(method, path, context),
      });
    } catch (error) {
      problems.push(`${method.name}: ${(error as Error).message}`);
    }
  }
  return api;
}

const apiIdOf = (inputs: object) =>
  "restApi" in inputs ? inputs.restApi : "restApiId" in inputs ? inputs.restApiId : undefined;

function resourcePaths(
  restApi: RestApi,
  resources: Resource<"aws:apigateway/resource:Resource">[],
) {
  const byId = new Map(resources.map((resource) => [resource.id, resource]));
  const path = (id: string): string => {
    if (id === restApi.outputs.rootResourceId) return "/";
    const resource = byId.get(id);
    if (!resource) throw new Error(`there is no resource ${id} in the API`);
    return `${path(resource.inputs.parentId).replace(/\/$/, "")}/${resource.inputs.pathPart}`;
  };
  return path;
}

function gatewayResponses(
  responses: Resource<"aws:apigateway/response:Response">[],
  problems: string[],
) {
  const byType = new Map<string, GatewayResponseSettings>();
  for (const { name, inputs } of responses) {
    if (!GATEWAY_RESPONSE_TYPES.has(inputs.responseType))
      problems.push(`${name}: the response type ${inputs.responseType} is not emulated`);
    try {
      gatewayResponseMappings(inputs.responseParameters ?? {});
    } catch (error) {
      problems.push(`${name}: ${(error as Error).message}`);
    }
    byType.set(inputs.responseType, {
      statusCode: inputs.statusCode ? Number(inputs.statusCode) : undefined,
      templates: inputs.responseTemplates ?? {},
      parameters: inputs.responseParameters ?? {},
    });
  }
  return byType;
}

function readModels(models: Resource<"aws:apigateway/model:Model">[], restApi: RestApi) {
  const url = (name: string) =>
    `https://apigateway.amazonaws.com/restapis/${restApi.id}/models/${name}`;
  // every API has these two models
  const builtIn = ["Empty", "Error"].map((name) => ({ name, url: url(name), schema: "{}" }));
  const own = models.map(({ inputs }) => ({
    name: inputs.name,
    url: url(inputs.name),
    schema: inputs.schema,
  }));
  return compileModels([
    ...builtIn.filter(({ name }) => !own.some((o) => o.name === name)),
    ...own,
  ]);
}

function validation(
  { inputs }: Resource<"aws:apigateway/method:Method">,
  validators: Resource<"aws:apigateway/requestValidator:RequestValidator">[],
  model: (name: string) => BodyValidator,
): Pick<Method, "requiredParameters" | "bodyValidators"> {
  const validator = validators.find(({ id }) => id === inputs.requestValidatorId);
  if (inputs.requestValidatorId && !validator)
    throw new Error(`there is no request validator ${inputs.requestValidatorId}`);
  const { validateRequestBody, validateRequestParameters } = validator?.inputs ?? {};
  const models = Object.entries(inputs.requestModels ?? {});
  return {
    requiredParameters: validateRequestParameters
      ? requiredParameterKeys(inputs.requestParameters ?? {})
      : [],
    bodyValidators: validateRequestBody
      ? new Map(models.map(([type, name]) => [type, model(name)]))
      : undefined,
  };
}
