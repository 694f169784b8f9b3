import type { Bucket, CorsRule } from "./bucket.ts";
import { S3Error } from "./s3-error.ts";

type CorsRequest = { origin: string; method: string; headers: string[] };

/** The CORS headers of the response to an actual request; none if no rule matches. */
export function headers(bucket: Bucket, origin: string | undefined, method: string) {
  if (!origin) return {};
  const rule = find(bucket, { origin, method, headers: [] });
  return rule ? allow(rule, { origin, method, headers: [] }) : {};
}

/** The answer to OPTIONS; the order and words of refusal are S3's. https://docs.aws.amazon.com/AmazonS3/latest/API/RESTOPTIONSobject.html */
export function preflight(bucket: Bucket, sent: Record<string, string | undefined>) {
  const { origin } = sent;
  const method = sent["access-control-request-method"];
  if (!origin || !method)
    throw badRequest("Insufficient information. Origin request header needed.");
  if (bucket.cors.length === 0) throw forbidden("CORS is not enabled for this bucket.");
  const names = (sent["access-control-request-headers"] ?? "").split(",");
  const request = {
    origin,
    method,
    headers: names.map((name) => name.trim().toLowerCase()).filter(Boolean),
  };
  const rule = find(bucket, request);
  if (!rule)
    throw forbidden(
      "This CORS request is not allowed. This is usually because the evalution of Origin, request method / Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by the resource's CORS spec.",
    );
  return {
    ...allow(rule, request),
    ...(request.headers.length > 0 && {
      "access-control-allow-headers": request.headers.join(", "),
    }),
    ...(rule.maxAgeSeconds !== undefined && {
      "access-control-max-age": String(rule.maxAgeSeconds),
    }),
  };
}

/** The first matching rule decides. */
const find = (bucket: Bucket, request: CorsRequest): CorsRule | undefined =>
  bucket.cors.find(
    (rule) =>
      rule.allowedOrigins.some((pattern) => fits(pattern, request.origin)) &&
      rule.allowedMethods.includes(request.method) &&
      request.headers.every((name) =>
        rule.allowedHeaders?.some((pattern) => fits(pattern.toLowerCase(), name)),
      ),
  );

function allow(rule: CorsRule, { origin }: CorsRequest) {
  const isAnyone = rule.allowedOrigins.includes("*");
  return {
    "access-control-allow-origin": isAnyone ? "*" : origin,
    "access-control-allow-methods": rule.allowedMethods.join(", "),
    ...(!isAnyone && { "access-control-allow-credentials": "true" }),
    ...(rule.exposeHeaders?.length && {
      "access-control-expose-headers": rule.exposeHeaders.join(", "),
    }),
    vary: "Origin, Access-Control-Request-Headers, Access-Control-Request-Method",
  };
}

/** A rule may contain one asterisk. */
function fits(pattern: string, value: string): boolean {
  const [before = "", after] = pattern.split("*", 2);
  if (after === undefined) return pattern === value;
  return (
    value.length >= before.length + after.length &&
    value.startsWith(before) &&
    value.endsWith(after)
  );
}

const forbidden = (message: string) => new S3Error("AccessForbidden", `CORSResponse: ${message}`);

const badRequest = (message: string) => new S3Error("InvalidRequest", message);
