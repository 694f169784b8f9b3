import { type Known, isSet, labels, sentence, unknownProperties } from "../property-support.ts";
import type { Resource } from "../graph/resource-graph.ts";

/** Types under `aws:apigateway/` that this gateway reads, each property with what it is here. */
export const KNOWN: Record<string, Known> = {
  "restApi:RestApi": {
    emulated: ["apiKeySource", "binaryMediaTypes", "policy", "endpointConfiguration"],
    meaningless: [
      ...labels,
      // how the provider imports an OpenAPI document, and which TLS a client may speak
      "failOnWarnings",
      "putRestApiMode",
      "securityPolicy",
    ],
  },
  "resource:Resource": { emulated: ["restApi", "parentId", "pathPart"], meaningless: labels },
  "method:Method": {
    emulated: [
      "restApi",
      "resourceId",
      "httpMethod",
      "authorization",
      "authorizerId",
      "authorizationScopes",
      "apiKeyRequired",
      "requestModels",
      "requestParameters",
      "requestValidatorId",
    ],
    meaningless: [...labels, "operationName"],
    only: { authorization: ["NONE", "AWS_IAM", "CUSTOM", "COGNITO_USER_POOLS"] },
  },
  "integration:Integration": {
    emulated: [
      "restApi",
      "resourceId",
      "httpMethod",
      "integrationHttpMethod",
      "type",
      "uri",
      "credentials",
      "requestParameters",
      "requestTemplates",
      "passthroughBehavior",
      "contentHandling",
      "timeoutMilliseconds",
      "connectionType",
      "responseTransferMode",
    ],
    // where cached answers are kept; there is no cache unless the stage has one, and that is refused
    meaningless: [...labels, "cacheNamespace", "cacheKeyParameters"],
    only: {
      type: ["MOCK", "AWS", "AWS_PROXY", "HTTP", "HTTP_PROXY"],
      connectionType: ["INTERNET"],
      contentHandling: ["CONVERT_TO_BINARY", "CONVERT_TO_TEXT"],
      passthroughBehavior: ["WHEN_NO_MATCH", "WHEN_NO_TEMPLATES", "NEVER"],
      responseTransferMode: ["BUFFERED", "STREAM"],
    },
  },
  "methodResponse:MethodResponse": {
    emulated: ["restApi", "resourceId", "httpMethod", "statusCode", "responseParameters"],
    // describes the body to generated clients; nothing is checked
    meaningless: [...labels, "responseModels"],
  },
  "integrationResponse:IntegrationResponse": {
    emulated: [
      "restApi",
      "resourceId",
      "httpMethod",
      "statusCode",
      "selectionPattern",
      "responseParameters",
      "responseTemplates",
      "contentHandling",
    ],
    meaningless: labels,
    only: { contentHandling: ["CONVERT_TO_BINARY", "CONVERT_TO_TEXT"] },
  },
  "response:Response": {
    emulated: [
      "restApiId",
      "responseType",
      "statusCode",
      "responseTemplates",
      "responseParameters",
    ],
    meaningless: labels,
  },
  "requestValidator:RequestValidator": {
    emulated: ["restApi", "validateRequestBody", "validateRequestParameters"],
    meaningless: labels,
  },
  "model:Model": { emulated: ["restApi", "name", "schema", "contentType"], meaningless: labels },
  "authorizer:Authorizer": {
    emulated: [
      "restApi",
      "type",
      "authorizerUri",
      "authorizerCredentials",
      "authorizerResultTtlInSeconds",
      "identitySource",
      "identityValidationExpression",
      "providerArns",
    ],
    meaningless: labels,
    only: { type: ["TOKEN", "REQUEST", "COGNITO_USER_POOLS"] },
  },
  "deployment:Deployment": {
    emulated: ["restApi", "variables"],
    // AWS deploys again when they change; here the graph is read anew at each start
    meaningless: [...labels, "triggers"],
  },
  "stage:Stage": {
    emulated: [
      "restApi",
      "deployment",
      "stageName",
      "variables",
      "xrayTracingEnabled",
      "accessLogSettings",
    ],
    meaningless: [...labels, "documentationVersion"],
  },
  "methodSettings:MethodSettings": {
    emulated: ["restApi", "stageName", "methodPath", "settings"],
    meaningless: labels,
  },
  "apiKey:ApiKey": { emulated: ["value", "enabled"], meaningless: [...labels, "customerId"] },
  "usagePlan:UsagePlan": {
    emulated: ["apiStages", "quotaSettings", "throttleSettings"],
    meaningless: [...labels, "productCode"],
  },
  "usagePlanKey:UsagePlanKey": {
    emulated: ["keyId", "keyType", "usagePlanId"],
    meaningless: labels,
    only: { keyType: ["API_KEY"] },
  },
  "restApiPolicy:RestApiPolicy": { emulated: ["restApiId", "policy"], meaningless: labels },
  // the role with which AWS writes its own logs
  "account:Account": {
    emulated: [],
    meaningless: [...labels, "cloudwatchRoleArn", "resetOnDelete"],
  },
  // text for generated documentation
  "documentationPart:DocumentationPart": {
    emulated: [],
    meaningless: [...labels, "location", "properties", "restApiId"],
  },
  "documentationVersion:DocumentationVersion": {
    emulated: [],
    meaningless: [...labels, "version", "restApiId"],
  },
};

export const EMULATED_SETTINGS = ["throttlingRateLimit", "throttlingBurstLimit"];
export const MEANINGLESS_SETTINGS = ["metricsEnabled", "loggingLevel", "dataTraceEnabled"];

/** Sentences about everything of API Gateway that the graph configures and this gateway does not do. */
export function unemulated(resources: Resource[]): string[] {
  return resources.flatMap((resource) => {
    const type = /^aws:apigateway\/(.+)$/.exec(resource.type)?.[1];
    if (type === undefined) return [];
    const known = KNOWN[type];
    if (!known) return [`${resource.name} is a ${resource.type}, which is not emulated`];
    return [...unknownProperties(resource, known), ...unknownWithin(resource)];
  });
}

/** What is one level deeper. */
function unknownWithin(resource: Resource): string[] {
  const { type, inputs } = resource;
  const found: string[] = [];
  if (type === "aws:apigateway/methodSettings:MethodSettings")
    for (const [key, value] of Object.entries(inputs["settings"] ?? {}))
      if (isSet(value) && ![...EMULATED_SETTINGS, ...MEANINGLESS_SETTINGS].includes(key))
        found.push(sentence(resource, `settings.${key}`, value));
  if ([inputs["endpointConfiguration"]?.types].flat().includes("PRIVATE"))
    found.push(sentence(resource, "endpointConfiguration.types", "PRIVATE"));
  return found;
}
