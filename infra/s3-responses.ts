import * as Cors from "./cors.ts";
import { registerForDeployment, restApi, type gateway } from "./gateway.ts";

/** A response of a route with an S3 integration: what the gateway makes of a status of S3. */
export type S3Response = {
  /** Matches S3's status; without a pattern, the response is the default. Patterns must not overlap: AWS does not document which one would win. */
  pattern?: string;
  /** Response headers by name: a header of S3, or a constant. */
  headers: Record<string, string>;
  problem?: { title: string; code: string };
  /** VTL of the JSON that replaces S3's body. */
  json?: string;
  /** A response template, for a response without a body. */
  template?: string;
};

/** Returns a mapping that passes these headers of S3 on. */
export const passHeaders = (...names: string[]) =>
  Object.fromEntries(names.map((name) => [name, `integration.response.header.${name}`]));

/** Security headers of every response: the objects were uploaded by users. */
const securityHeaders = {
  "X-Content-Type-Options": Cors.constant("nosniff"),
  // an empty source list means 'none'; a constant of API Gateway is in quotes and cannot contain any
  "Content-Security-Policy": Cors.constant("default-src; sandbox"),
  "Cross-Origin-Resource-Policy": Cors.constant("cross-origin"),
  "Access-Control-Allow-Origin": Cors.constant(Cors.constantOrigin),
  "Access-Control-Expose-Headers": Cors.constant(Cors.exposedHeaders),
};

type Route = ReturnType<typeof gateway.routeIntegration>["nodes"];

/** Adds the responses to a route, by the status that the client receives. */
export function addResponses(name: string, route: Route, responses: Record<string, S3Response>) {
  for (const [statusCode, { pattern, headers, problem, json, template }] of Object.entries(
    responses,
  )) {
    const body = problem ? problemOf(Number(statusCode), problem) : json;
    const type = problem ? "application/problem+json" : "application/json";
    const responseParameters = Object.fromEntries(
      Object.entries({
        ...securityHeaders,
        ...headers,
        ...(body && {
          "Content-Type": Cors.constant(type),
          "Access-Control-Allow-Origin": Cors.constant(Cors.firstOrigin),
          Vary: Cors.constant("Origin"),
        }),
      }).map(([header, value]) => [`method.response.header.${header}`, value]),
    );
    const target = {
      restApi: restApi.id,
      resourceId: route.integration.resourceId,
      httpMethod: route.method.httpMethod,
      statusCode,
    };
    const response = registerForDeployment(
      new aws.apigateway.MethodResponse(`Api${name}Response${statusCode}`, {
        ...target,
        responseParameters: Object.fromEntries(
          Object.keys(responseParameters).map((header) => [header, true]),
        ),
      }),
    );
    registerForDeployment(
      new aws.apigateway.IntegrationResponse(
        `Api${name}IntegrationResponse${statusCode}`,
        {
          ...target,
          selectionPattern: pattern,
          responseParameters,
          // Passes bytes unchanged, whatever type `Accept` starts with. A template needs text: without the conversion a browser's
          // `Accept: image/avif,…` turns S3's XML into a 500.
          contentHandling: body || template ? "CONVERT_TO_TEXT" : "CONVERT_TO_BINARY",
          responseTemplates: body
            ? { "application/json": `${Cors.chooseOrigin}\n${body}` }
            : template
              ? { "application/json": template }
              : undefined,
        },
        { dependsOn: [route.integration, response] },
      ),
    );
  }
}

function problemOf(status: number, { title, code }: { title: string; code: string }) {
  const fields = { type: "about:blank", title, status, code };
  return JSON.stringify(fields).replace(/}$/, ',"requestId":"$context.requestId"}');
}
