import * as http from "node:http";
import * as https from "node:https";

import { readBody } from "../../read-body.ts";
import { GatewayError } from "../gateway-error.ts";

const agents = {
  "http:": new http.Agent({ keepAlive: true }),
  "https:": new https.Agent({ keepAlive: true }),
};

export type OutgoingRequest = {
  /** Scheme and authority, `http://127.0.0.1:3000`. */
  origin: string;
  /** Sent unchanged: dot segments are not resolved, and nothing is encoded again. */
  target: string;
  method: string;
  headers: Record<string, string | string[]>;
  body: Buffer;
  signal?: AbortSignal | undefined;
};

/** Sends a request and resolves when the headers of the response have arrived. @throws GatewayError INTEGRATION_FAILURE if the backend cannot be reached. */
export function sendRequest(outgoing: OutgoingRequest): Promise<http.IncomingMessage> {
  const { protocol, hostname, port } = new URL(outgoing.origin);
  const secure = protocol === "https:";
  return new Promise((resolve, reject) => {
    const request = (secure ? https : http).request(
      {
        agent: agents[secure ? "https:" : "http:"],
        hostname,
        port,
        path: outgoing.target,
        method: outgoing.method,
        headers: outgoing.headers,
        ...(outgoing.signal && { signal: outgoing.signal }),
      },
      resolve,
    );
    request.on("error", (cause) => reject(new GatewayError("INTEGRATION_FAILURE", { cause })));
    request.end(outgoing.body);
  });
}

// "Payload size 10 MB" https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html
const MAX_BYTES = 10_485_760;

/** Returns the body of the integration's response. @throws GatewayError if it has more than 10 MB or breaks off. */
export async function readResponseBody(response: http.IncomingMessage): Promise<Buffer> {
  const body = await readBody(response, MAX_BYTES).catch((cause) => {
    throw new GatewayError("INTEGRATION_FAILURE", { cause });
  });
  if (!body)
    throw new GatewayError("API_CONFIGURATION_ERROR", {
      cause: new Error(`the response of the integration has more than ${MAX_BYTES} bytes`),
    });
  return body;
}

/** Returns the header fields in their order and casing. */
export function rawResponseFields(response: http.IncomingMessage): [string, string][] {
  const fields: [string, string][] = [];
  for (let i = 0; i < response.rawHeaders.length; i += 2)
    fields.push([response.rawHeaders[i]!, response.rawHeaders[i + 1]!]);
  return fields;
}

/** Replaces each `{name}` in a URI by the mapped path parameter, percent-encoded except for slashes. */
export const fillPath = (uri: string, path: Record<string, string>) =>
  uri.replace(/\{([^{}]+?)\+?\}/g, (whole, name: string) => {
    const value = path[name];
    return value === undefined ? whole : encodePath(value);
  });

/** Encodes a value that may be percent-encoded already. */
function encodePath(value: string): string {
  let decoded = value;
  try {
    decoded = decodeURIComponent(value);
  } catch {
    // a single `%` is taken literally
  }
  return encodeURIComponent(decoded)
    .replaceAll("%2F", "/")
    .replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

export function queryString(query: Record<string, string[]>): string {
  const pairs = Object.entries(query).flatMap(([name, values]) =>
    values.map((value) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`),
  );
  return pairs.length > 0 ? `?${pairs.join("&")}` : "";
}
