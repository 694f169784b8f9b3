import * as Cors from "./cors.ts";
import { registerForDeployment, restApi } from "./gateway.ts";

/**
 * The errors of the gateway itself, as problem details like all others: https://www.rfc-editor.org/rfc/rfc9457. A status is
 * given only where a type has one; a failed integration is 502 or 504, and a default type has any.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
 */
const problems = {
  ACCESS_DENIED: 403,
  API_CONFIGURATION_ERROR: 500,
  AUTHORIZER_CONFIGURATION_ERROR: 500,
  AUTHORIZER_FAILURE: 500,
  BAD_REQUEST_BODY: 400,
  BAD_REQUEST_PARAMETERS: 400,
  DEFAULT_4XX: undefined,
  DEFAULT_5XX: undefined,
  EXPIRED_TOKEN: 403,
  INTEGRATION_FAILURE: undefined,
  INTEGRATION_TIMEOUT: 504,
  INVALID_API_KEY: 403,
  INVALID_SIGNATURE: 403,
  MISSING_AUTHENTICATION_TOKEN: 403,
  QUOTA_EXCEEDED: 429,
  REQUEST_TOO_LARGE: 413,
  RESOURCE_NOT_FOUND: 404,
  THROTTLED: 429,
  UNAUTHORIZED: 401,
  UNSUPPORTED_MEDIA_TYPE: 415,
  WAF_FILTERED: 403,
} as const;

for (const [type, status] of Object.entries(problems)) {
  registerForDeployment(
    new aws.apigateway.Response(`ApiProblem${pascal(type)}`, {
      restApiId: restApi.id,
      responseType: type,
      statusCode: status?.toString(),
      responseTemplates: { "application/problem+json": template(type, status) },
      responseParameters: {
        "gatewayresponse.header.Access-Control-Allow-Origin": Cors.constant(Cors.constantOrigin),
        "gatewayresponse.header.Access-Control-Expose-Headers": Cors.constant(Cors.exposedHeaders),
        "gatewayresponse.header.X-Content-Type-Options": Cors.constant("nosniff"),
        // the gateway's own 429 has no Retry-After
        ...(status === 429 && {
          "gatewayresponse.header.Retry-After": Cors.constant(type === "THROTTLED" ? "1" : "3600"),
        }),
      },
    }),
  );
}

/** Not VTL: the gateway replaces variables only. `messageString` includes its quotes. */
function template(type: string, status: number | undefined) {
  const members = [
    `"type":"about:blank"`,
    `"title":$context.error.messageString`,
    ...(status ? [`"status":${status}`] : []),
    `"code":"gateway.${type.toLowerCase()}"`,
    `"requestId":"$context.requestId"`,
  ];
  return `{${members.join(",")}}`;
}

function pascal(type: string) {
  return type
    .toLowerCase()
    .split("_")
    .map((word) => word[0]!.toUpperCase() + word.slice(1))
    .join("");
}
