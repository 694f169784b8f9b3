import type { APIGatewayProxyEvent, APIGatewayProxyResult, Context } from "aws-lambda";

/** The environment of every route, `c.env`. */
export type Bindings = {
  /** It has the user's claims and the request's id. */
  event: APIGatewayProxyEvent;
  /** The milliseconds after which Lambda ends the function; undefined outside of Lambda. */
  remainingMs?: number | undefined;
};

type App = { fetch(request: Request, env: Bindings): Response | Promise<Response> };

/**
 * A Lambda proxy handler for events of a REST API. It replaces hono/aws-lambda, whose other four event shapes, streams
 * and crypto take more time at a cold start than all routes of this API.
 */
export function serve(app: App) {
  return async (
    event: APIGatewayProxyEvent,
    context?: Pick<Context, "getRemainingTimeInMillis">,
  ): Promise<APIGatewayProxyResult> => {
    const remainingMs = context?.getRemainingTimeInMillis();
    return toResult(await app.fetch(toRequest(event), { event, remainingMs }));
  };
}

export function toRequest(event: APIGatewayProxyEvent): Request {
  const bodyless = event.body === null || event.httpMethod === "GET" || event.httpMethod === "HEAD";
  return new Request(
    `https://${event.requestContext.domainName ?? "localhost"}${event.path}${query(event)}`,
    {
      method: event.httpMethod,
      headers: headers(event),
      body: bodyless ? null : body(event),
    },
  );
}

/** Text only, never base64: the response must not depend on the gateway's binary types or the client's Accept. */
async function toResult(response: Response): Promise<APIGatewayProxyResult> {
  return {
    statusCode: response.status,
    headers: Object.fromEntries(response.headers),
    body: await response.text(),
    isBase64Encoded: false,
  };
}

// the gateway decodes the query: https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
function query(event: APIGatewayProxyEvent) {
  const pairs = Object.entries(event.multiValueQueryStringParameters ?? {});
  const text = pairs.flatMap(([name, values]) =>
    (values ?? []).map((value) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`),
  );
  return text.length ? `?${text.join("&")}` : "";
}

// names keep the client's case; only multiValueHeaders has all values of a repeated header
function headers(event: APIGatewayProxyEvent) {
  const result = new Headers();
  for (const [name, values] of Object.entries(event.multiValueHeaders ?? {})) {
    for (const value of values ?? []) result.append(name, value);
  }
  return result;
}

function body(event: APIGatewayProxyEvent) {
  return event.isBase64Encoded ? Buffer.from(event.body ?? "", "base64") : event.body;
}
