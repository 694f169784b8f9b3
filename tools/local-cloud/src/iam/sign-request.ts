import aws4 from "aws4";

import { type SignedRequest, header } from "./canonical-request.ts";
import { formatAmzDate, sha256 } from "./signature-parts.ts";
import type { Credentials } from "./verify-signature.ts";

/**
 * Returns the headers to add to a request so that AWS, or `verifyHeader`, accepts it. Signs `host`, `content-type` and the
 * `x-amz-` headers; `headers` must hold `host`. `now` is in milliseconds since the epoch.
 */
export function signRequest(
  request: SignedRequest,
  credentials: Credentials,
  service: string,
  region: string,
  now: number,
): Record<string, string> {
  const added: Record<string, string> = {
    "x-amz-date": formatAmzDate(now),
    // stated here, because aws4 would add a content type to a request with a body
    "x-amz-content-sha256": header(request, "x-amz-content-sha256") ?? sha256(request.body ?? ""),
    ...(credentials.sessionToken && { "x-amz-security-token": credentials.sessionToken }),
  };
  const lowered = Object.entries(request.headers).map(
    ([name, value]) => [name.toLowerCase(), value] as const,
  );
  const headers = lowered.filter(
    ([name]) => name === "host" || name === "content-type" || name.startsWith("x-amz-"),
  );
  const signed = aws4.sign(
    {
      service,
      region,
      method: request.method,
      path: request.url,
      headers: { ...Object.fromEntries(headers), ...added },
    },
    credentials,
  );
  return { ...added, authorization: String(signed.headers?.["Authorization"]) };
}
