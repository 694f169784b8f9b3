import * as Cors from "./cors.ts";
import { part, restApi, type gateway } from "./gateway.ts";

/** One answer of a route behind which S3 stands: what the gateway makes of a status of S3's. */
export type Answer = {
  /** Of S3's status; none means every other one. Patterns must not overlap: AWS does not say which one would win. */
  pattern?: string;
  /** Header of the answer to what S3 sent, or to a constant. */
  headers: Record<string, string>;
  problem?: { title: string; code: string };
  /** Instead of what S3 sent. */
  json?: object;
};

export const header = (...names: string[]) =>
  Object.fromEntries(names.map((name) => [name, `integration.response.header.${name}`]));

/** Said with every answer, since what is in a bucket came from a stranger. */
const safety = {
  "X-Content-Type-Options": Cors.constant("nosniff"),
  // no source is 'none'; a constant of API Gateway stands in quotes and has none inside
  "Content-Security-Policy": Cors.constant("default-src; sandbox"),
  "Cross-Origin-Resource-Policy": Cors.constant("cross-origin"),
  "Access-Control-Allow-Origin": Cors.constant(Cors.constantOrigin),
  "Access-Control-Expose-Headers": Cors.constant(Cors.exposedHeaders),
};

type Route = ReturnType<typeof gateway.routeIntegration>["nodes"];

/** By the status that the client sees. */
export function answer(name: string, route: Route, answers: Record<string, Answer>) {
  for (const [statusCode, { pattern, headers, problem, json }] of Object.entries(answers)) {
    const body = problem ? problemOf(Number(statusCode), problem) : json && JSON.stringify(json);
    const type = problem ? "application/problem+json" : "application/json";
    const responseParameters = Object.fromEntries(
      Object.entries({
        ...safety,
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
    const response = part(
      new aws.apigateway.MethodResponse(`Api${name}Response${statusCode}`, {
        ...target,
        responseParameters: Object.fromEntries(
          Object.keys(responseParameters).map((header) => [header, true]),
        ),
      }),
    );
    part(
      new aws.apigateway.IntegrationResponse(
        `Api${name}IntegrationResponse${statusCode}`,
        {
          ...target,
          selectionPattern: pattern,
          responseParameters,
          // The bytes as they are, whatever `Accept` begins with. A template needs text: without the conversion a browser's
          // `Accept: image/avif,…` turns S3's XML into a 500.
          contentHandling: body ? "CONVERT_TO_TEXT" : "CONVERT_TO_BINARY",
          responseTemplates: body
            ? { "application/json": `${Cors.chooseOrigin}\n${body}` }
            : undefined,
        },
        { dependsOn: [route.integration, response] },
      ),
    );
  }
}

function problemOf(status: number, { title, code }: { title: string; code: string }) {
  const known = { type: "about:blank", title, status, code };
  return JSON.stringify(known).replace(/}$/, ',"requestId":"$context.requestId"}');
}
