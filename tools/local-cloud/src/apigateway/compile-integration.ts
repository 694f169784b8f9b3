import type { Resource } from "../graph/resource-graph.ts";
import type { CompileContext } from "./compile-context.ts";
import type { Method, RequestContext } from "./types.ts";
import { nonProxyIntegration, mockBackend } from "./integration/non-proxy.ts";
import { httpBackend, httpProxyIntegration } from "./integration/http.ts";
import { lambdaBackend } from "./integration/lambda-non-proxy.ts";
import {
  type LambdaTarget,
  lambdaProxyIntegration,
  lambdaStreamIntegration,
} from "./integration/lambda-proxy.ts";
import { s3Backend, fillStageVariables } from "./integration/s3.ts";
import type { NonProxySettings, IntegrationResponse } from "./integration/non-proxy-settings.ts";
import { requestMappings, responseMappings } from "./parameter-mappings.ts";
import { configurationError } from "./gateway-error.ts";
import * as Template from "./template.ts";
import { functionArnOf, s3PathOf } from "./integration-uri.ts";

// "50 milliseconds - 29 seconds" https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html;
// a stream may last for 15 minutes
const MIN_TIMEOUT_MS = 50;
const DEFAULT_TIMEOUT_MS = 29_000;
const MAX_STREAM_MS = 900_000;

type MethodResource = Resource<"aws:apigateway/method:Method">;
type Integration = Resource<"aws:apigateway/integration:Integration">;

function timeoutOf({ timeoutMilliseconds, responseTransferMode }: Integration["inputs"]): number {
  const ms = timeoutMilliseconds ?? DEFAULT_TIMEOUT_MS;
  const most = responseTransferMode === "STREAM" ? MAX_STREAM_MS : DEFAULT_TIMEOUT_MS;
  if (ms >= MIN_TIMEOUT_MS && ms <= most) return ms;
  throw new Error(`timeoutMilliseconds = ${ms} is not between ${MIN_TIMEOUT_MS} and ${most}`);
}

type Compiled = Pick<Method, "integrate" | "functionName">;

export function compileIntegration(
  method: MethodResource,
  path: string,
  context: CompileContext,
): Compiled {
  const integration = context.own("aws:apigateway/integration:Integration").find(isOf(method));
  // AWS: "No integration defined for method"
  if (!integration) throw new Error("no integration is defined for the method");
  const {
    type,
    uri = "",
    integrationHttpMethod: httpMethod = "",
    responseTransferMode,
  } = integration.inputs;
  const settings = readSettings(integration, method, context);
  const { timeoutMs, requestParameters, kind } = settings;
  const stream = responseTransferMode === "STREAM";
  if (stream && !type.endsWith("_PROXY"))
    throw new Error(`an integration of type ${type} cannot stream`);
  switch (type) {
    case "MOCK":
      return plain(nonProxyIntegration(settings, mockBackend));
    case "HTTP":
      return plain(nonProxyIntegration(settings, httpBackend({ uri, httpMethod })));
    case "HTTP_PROXY":
      return plain(
        httpProxyIntegration({ uri, httpMethod }, { kind, requestParameters, timeoutMs, stream }),
      );
    case "AWS_PROXY": {
      const target = lambdaTarget(integration, method, path, timeoutMs, context, stream);
      const functionName = nameOf(uri, context);
      // with another method the service answers 500 [V-AWS]
      if (httpMethod !== "POST")
        return { functionName, integrate: () => Promise.reject(configurationError("not POST")) };
      const integrate = stream ? lambdaStreamIntegration : lambdaProxyIntegration;
      return { functionName, integrate: integrate(target, context.dependencies) };
    }
    case "AWS":
      return service(integration, method, path, settings, context);
  }
}

const plain = (integrate: Method["integrate"]): Compiled => ({
  integrate,
  functionName: undefined,
});

function service(
  integration: Integration,
  method: MethodResource,
  path: string,
  settings: NonProxySettings,
  context: CompileContext,
): Compiled {
  const { uri = "", credentials, integrationHttpMethod = "" } = integration.inputs;
  const s3Path = s3PathOf(uri);
  if (s3Path) {
    if (!credentials) throw new Error("an S3 integration needs credentials");
    const target = { path: s3Path, httpMethod: integrationHttpMethod, roleArn: credentials };
    return plain(nonProxyIntegration(settings, s3Backend(target, context.dependencies)));
  }
  if (!functionArnOf(uri)) throw new Error(`an integration with ${uri} is not emulated`);
  const target = lambdaTarget(integration, method, path, settings.timeoutMs, context, false);
  return {
    functionName: nameOf(uri, context),
    integrate: nonProxyIntegration(settings, lambdaBackend(target, context.dependencies)),
  };
}

function lambdaTarget(
  { inputs: { uri = "", credentials } }: Integration,
  { inputs: { httpMethod } }: MethodResource,
  path: string,
  timeoutMs: number,
  { api, stageName, permissions }: CompileContext,
  stream: boolean,
): LambdaTarget {
  const found = functionArnOf(uri);
  if (!found) throw new Error(`${uri} is not the URI of a function`);
  // https://docs.aws.amazon.com/apigateway/latest/developerguide/response-transfer-mode-lambda.html
  if (found.streams !== stream)
    throw new Error(`responseTransferMode and the URI ${uri} do not go together`);
  const method = httpMethod === "ANY" ? "*" : httpMethod;
  const sourceArn = `${api.executionArn}/${stageName}/${method}${path.replace(/\{[^}]+\}/g, "*")}`;
  const decided = new Map<string, boolean>();
  const decide = (functionArn: string) =>
    credentials
      ? permissions.mayInvokeAsRole(credentials, functionArn)
      : permissions.mayInvoke(functionArn, sourceArn);
  return {
    timeoutMs,
    functionArn: found.arn.includes("${")
      ? (context: RequestContext) => fillStageVariables(found.arn, context)
      : () => found.arn,
    isPermitted(functionArn) {
      const known = decided.get(functionArn) ?? decide(functionArn);
      decided.set(functionArn, known);
      return known;
    },
  };
}

function nameOf(uri: string, { dependencies }: CompileContext): string | undefined {
  const arn = functionArnOf(uri)?.arn ?? "";
  return dependencies.graph.functions[arn]?.name ?? arn.split(":")[6];
}

function readSettings(
  { inputs }: Integration,
  method: MethodResource,
  context: CompileContext,
): NonProxySettings {
  const { type, requestTemplates, passthroughBehavior } = inputs;
  // a Lambda proxy receives the whole request; AWS ignores its parameter mappings [V-AWS]
  const requestParameters = type === "AWS_PROXY" ? {} : (inputs.requestParameters ?? {});
  return {
    kind: type === "MOCK" ? "MOCK" : type.startsWith("HTTP") ? "HTTP" : "AWS",
    requestParameters: requestMappings(requestParameters, method.inputs.requestParameters ?? {}),
    requestTemplates: compileAll(requestTemplates),
    passthrough: passthroughBehavior ?? "WHEN_NO_MATCH",
    contentHandling: inputs.contentHandling,
    timeoutMs: timeoutOf(inputs),
    responses: type.endsWith("_PROXY") ? [] : responses(method, context),
  };
}

function responses(method: MethodResource, context: CompileContext): IntegrationResponse[] {
  const declared = new Map(
    context
      .own("aws:apigateway/methodResponse:MethodResponse")
      .filter(isOf(method))
      .map(({ inputs }) => [inputs.statusCode, inputs.responseParameters ?? {}]),
  );
  return context
    .own("aws:apigateway/integrationResponse:IntegrationResponse")
    .filter(isOf(method))
    .map(({ name, inputs }) => {
      const parameters = declared.get(inputs.statusCode);
      // AWS refuses both on deployment
      if (!parameters) throw new Error(`${name} has no method response ${inputs.statusCode}`);
      const headers = responseMappings(inputs.responseParameters ?? {});
      const undeclared = headers.find(([key]) => !(key in parameters));
      if (undeclared) throw new Error(`${name} sets ${undeclared[0]}, not in the method response`);
      const templates = inputs.responseTemplates ?? {};
      return {
        status: Number(inputs.statusCode),
        pattern: inputs.selectionPattern
          ? new RegExp(`^(?:${inputs.selectionPattern})$`)
          : undefined,
        headers: headers.map(([key, source]) => [
          key.replace("method.response.header.", ""),
          source,
        ]),
        templates,
        compiled: compileAll(templates),
        contentHandling: inputs.contentHandling,
      };
    });
}

const compileAll = (templates: Record<string, string> = {}) =>
  Object.fromEntries(
    Object.entries(templates).map(([type, text]) => [type, Template.compile(text)]),
  );

type NamesMethod = { inputs: { resourceId: string; httpMethod: string } };

const isOf =
  (method: MethodResource) =>
  ({ inputs }: NamesMethod) =>
    inputs.resourceId === method.inputs.resourceId &&
    inputs.httpMethod === method.inputs.httpMethod;
