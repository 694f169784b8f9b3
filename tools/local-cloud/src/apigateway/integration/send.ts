import * as http from "node:http";
import * as https from "node:https";

import { Refusal } from "../refusal.ts";

const agents = {
  "http:": new http.Agent({ keepAlive: true }),
  "https:": new https.Agent({ keepAlive: true }),
};

export type Outgoing = {
  /** Scheme and authority, `http://127.0.0.1:3000`. */
  origin: string;
  /** Sent as it is: no dot segment is resolved, nothing is encoded again. */
  target: string;
  method: string;
  headers: Record<string, string | string[]>;
  body: Buffer;
  signal?: AbortSignal | undefined;
};

/** Sends a request and resolves when the head of the response is there. A backend that cannot be reached is an INTEGRATION_FAILURE. */
export function send(outgoing: Outgoing): Promise<http.IncomingMessage> {
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
    request.on("error", (cause) => reject(new Refusal("INTEGRATION_FAILURE", { cause })));
    request.end(outgoing.body);
  });
}

// "Payload size 10 MB" https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html
const MAX_BYTES = 10_485_760;

export async function readAll(response: http.IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of response) {
      size += chunk.length;
      if (size > MAX_BYTES)
        throw new Refusal("API_CONFIGURATION_ERROR", {
          cause: new Error("the integration's response is over 10 MB"),
        });
      chunks.push(chunk);
    }
  } catch (cause) {
    if (cause instanceof Refusal) throw cause;
    throw new Refusal("INTEGRATION_FAILURE", { cause });
  }
  return Buffer.concat(chunks, size);
}

/** Header fields as they came over the wire, with their casing. */
export function rawFields(response: http.IncomingMessage): [string, string][] {
  const fields: [string, string][] = [];
  for (let i = 0; i < response.rawHeaders.length; i += 2)
    fields.push([response.rawHeaders[i]!, response.rawHeaders[i + 1]!]);
  return fields;
}

/** `{name}` in a URI is filled from the mapped path parameters, percent-encoded but for the slashes of a greedy one. */
export const fillPath = (uri: string, path: Record<string, string>) =>
  uri.replace(/\{([^{}]+?)\+?\}/g, (whole, name: string) => {
    const value = path[name];
    return value === undefined ? whole : encodePath(value);
  });

/** What came percent-encoded in the path is not encoded twice. */
function encodePath(value: string): string {
  let decoded = value;
  try {
    decoded = decodeURIComponent(value);
  } catch {
    // a lone `%`: taken literally
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
