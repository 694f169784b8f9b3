import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";

import { random } from "../random.ts";

/** Returns the header fields of a request in their order and casing. */
export function rawHeaderFields(req: IncomingMessage): [string, string][] {
  const raw = req.rawHeaders;
  const list: [string, string][] = [];
  for (let i = 0; i < raw.length; i += 2) list.push([raw[i]!, raw[i + 1]!]);
  return list;
}

export const newRequestId = () => randomUUID();

export const newExtendedRequestId = () => `${random(11).toString("base64url")}=`;
