import * as MappingExpressions from "./mapping-expressions.ts";
import type {
  CompiledApi,
  GatewayResponseSettings,
  HttpResponse,
  PartialRequestContext,
} from "./types.ts";
import * as MediaType from "./media-type.ts";
import type { GatewayError, GatewayResponseType } from "./gateway-error.ts";
import * as ResponseHeaders from "./response-headers.ts";

/** Returns the response for an error: the API's gateway response for the type, else for DEFAULT_4XX or DEFAULT_5XX, else AWS's default. */
export function gatewayResponse(
  gatewayError: GatewayError,
  context: PartialRequestContext,
): HttpResponse {
  const settings = find(context.stage?.api, gatewayError);
  const headers = ResponseHeaders.create();
  const template = settings && MediaType.choose(settings.templates, context.header("accept"));
  const variables = (path: string) => variable(path, gatewayError, context);
  for (const [target, source] of Object.entries(settings?.parameters ?? {})) {
    const value = parameter(source, variables);
    if (value !== undefined) headers.set(target.replace("gatewayresponse.header.", ""), value);
  }
  headers.setDefault("Content-Type", template ?? "application/json");
  headers.setDefault("x-amzn-ErrorType", gatewayError.errorType);
  return {
    status: settings?.statusCode ?? gatewayError.status,
    headers: headers.forNonProxy(),
    body: template
      ? substitute(settings!.templates[template]!, variables)
      : defaultBody(gatewayError),
  };
}

function find(
  api: CompiledApi | undefined,
  { type, status }: GatewayError,
): GatewayResponseSettings | undefined {
  const responses = api?.gatewayResponses;
  return responses?.get(type) ?? responses?.get(status < 500 ? "DEFAULT_4XX" : "DEFAULT_5XX");
}

/** ACCESS_DENIED has `Message` in upper case, and errors of an integration or a model have a space. [V-WILD] */
function defaultBody({ type, text }: GatewayError) {
  const name = type === "ACCESS_DENIED" ? "Message" : "message";
  return `{"${name}":${SPACED.has(type) ? " " : ""}${JSON.stringify(text)}}`;
}

const SPACED = new Set<GatewayResponseType>([
  "API_CONFIGURATION_ERROR",
  "BAD_REQUEST_BODY",
  "INTEGRATION_FAILURE",
  "INTEGRATION_TIMEOUT",
]);

const PATH = "((?:context|stageVariables|method\\.request)\\.[A-Za-z0-9_.:-]*[A-Za-z0-9_])";
const REFERENCE = new RegExp(`\\$\\{${PATH}\\}|\\$${PATH}`, "g");

/**
 * Substitutes variables; this is not VTL. A variable without a value stays as written.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-gatewayResponse-definition.html
 */
function substitute(template: string, variables: (path: string) => string | undefined): string {
  return template.replace(
    REFERENCE,
    (whole, braced: string | undefined, bare: string) => variables(braced ?? bare) ?? whole,
  );
}

function variable(
  path: string,
  gatewayError: GatewayError,
  context: PartialRequestContext,
): string | undefined {
  switch (path) {
    case "context.error.message":
      return gatewayError.text ?? "null";
    case "context.error.messageString":
      return JSON.stringify(gatewayError.text);
    case "context.error.responseType":
      return gatewayError.type;
    case "context.error.validationErrorString":
      return gatewayError.validation ?? "";
  }
  return MappingExpressions.evaluate(path, context);
}

function parameter(
  source: string,
  variables: (path: string) => string | undefined,
): string | undefined {
  if (source.startsWith("'")) return source.slice(1, -1);
  return variables(source);
}
