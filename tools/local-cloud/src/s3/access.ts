import * as Policy from "../iam/policy.ts";
import { type Principal, authorize } from "../iam/principals.ts";
import { signatureAge } from "../iam/signature-age.ts";
import * as VerifySignature from "../iam/verify-signature.ts";
import type { Bucket } from "./bucket.ts";
import type { Call, Caller, S3, ServiceRequest } from "./types.ts";
import { S3Error } from "./s3-error.ts";

/**
 * Returns the principal that signed the request and how; an unsigned request is anonymous.
 * @throws Fault with S3's code if the signature is wrong
 */
export function identify(s3: S3, request: VerifySignature.SignedRequest): Caller {
  if (!VerifySignature.isSigned(request)) return { how: "anonymous" };
  const isPresigned = VerifySignature.isPresigned(request);
  if (isPresigned && request.headers["authorization"])
    throw new S3Error(
      "InvalidArgument",
      "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter or the Authorization header should be specified",
    );
  const verify = isPresigned ? VerifySignature.verifyQuery : VerifySignature.verifyHeader;
  const options = {
    service: "s3",
    region: s3.graph.region,
    now: Date.now(),
    ageOf: signatureAge(s3.clock),
  };
  const outcome = verify<Principal>(request, (id) => s3.principals.find(id), options);
  if (!outcome.ok) throw refusal(s3, outcome, isPresigned);
  return { ...outcome, how: isPresigned ? "REST-QUERY-STRING" : "REST-HEADER" };
}

/**
 * Checks an action on a bucket or object.
 * @throws AccessDenied if the caller's policies and the bucket's policy do not allow it, or one of them denies it
 */
export function assertAllowed(
  s3: S3,
  call: Call,
  action: string,
  object?: { bucket: Bucket; key: string },
): void {
  const refused = refuse(s3, call, action, object);
  if (refused) throw refused;
}

/**
 * Checks an action on the service, for which only the caller's own policies count.
 * @throws AccessDenied if they do not allow it, or if the request is anonymous
 */
export function assertAllowedOnService(s3: S3, request: ServiceRequest, action: string): void {
  const { principal } = request.caller;
  const access = { action, resource: "*", context: contextOf(s3, request) };
  if (!principal) {
    s3.log.denied({ principal: "anonymous", action, resource: "*" });
    throw denied();
  }
  const decision = authorize(principal, access, s3.log);
  if (!decision.allowed) throw denied(decision.message);
}

/** Returns the error for a missing key: `otherwise` if the caller may list the bucket, else AccessDenied, as S3 does. It is not logged as a denial, because a function may ask for a missing key in its normal work. https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html#API_GetObject_RequestSyntax */
export function missing(s3: S3, call: Call, bucket: Bucket, otherwise: S3Error): S3Error {
  return (
    refuse({ ...s3, log: { ...s3.log, denied() {} } }, call, "s3:ListBucket", {
      bucket,
      key: "",
    }) ?? otherwise
  );
}

export function refuse(
  s3: S3,
  call: Call,
  action: string,
  { bucket, key }: { bucket: Bucket; key: string } = call,
): S3Error | undefined {
  const { principal } = call.caller;
  const resource = key ? `${bucket.arn}/${key}` : bucket.arn;
  const access = { action, resource, context: contextOf(s3, call) };
  const requester = principal ? { principal: { AWS: principal.arn } } : {};
  const byBucket = Policy.evaluate(bucket.policy, { ...access, ...requester });
  if (byBucket.explicitDeny) {
    const name = principal?.label ?? "anonymous";
    s3.log.denied({ principal: name, action, resource });
    const why = `is not authorized to perform: ${action} on resource: "${resource}" with an explicit deny in a resource-based policy`;
    return denied(principal ? `User: ${principal.arn} ${why}` : undefined);
  }
  if (!principal) {
    if (byBucket.allowed && bucket.mayBePublic) return undefined;
    s3.log.denied({ principal: "anonymous", action, resource });
    return denied();
  }
  // within one account either policy is enough, https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-policy-language-overview.html
  if (byBucket.allowed && !Policy.evaluate(principal.statements, access).explicitDeny)
    return undefined;
  const decision = authorize(principal, access, s3.log);
  return decision.allowed ? undefined : denied(decision.message);
}

/** The condition keys that a request determines, of those in https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html */
function contextOf(
  s3: S3,
  { headers, query, caller, sourceIp }: ServiceRequest,
): Policy.AccessRequest["context"] {
  const fromHeaders = Object.fromEntries(
    contextHeaders.map((name) => [`s3:${name}`, headers[name]]),
  );
  const now = s3.clock.now();
  return {
    ...fromHeaders,
    // the loopback interface counts as TLS: no other machine can read it
    "aws:SecureTransport": "true",
    "s3:TlsVersion": "1.3",
    "aws:SourceIp": sourceIp,
    "aws:UserAgent": headers["user-agent"],
    "aws:CurrentTime": new Date(now).toISOString(),
    "aws:EpochTime": String(Math.floor(now / 1000)),
    "aws:PrincipalArn": caller.principal && roleArn(caller.principal.arn),
    "aws:PrincipalAccount": caller.principal?.arn.split(":")[4],
    "aws:ResourceAccount": s3.graph.account,
    "s3:ResourceAccount": s3.graph.account,
    "s3:authType": caller.how === "anonymous" ? undefined : caller.how,
    "s3:signatureversion": caller.how === "anonymous" ? undefined : "AWS4-HMAC-SHA256",
    "s3:prefix": query.get("prefix"),
    "s3:delimiter": query.get("delimiter"),
    "s3:max-keys": query.get("max-keys"),
    "s3:VersionId": query.get("versionId"),
    "s3:if-none-match": headers["if-none-match"],
    "s3:if-match": headers["if-match"],
  };
}

const contextHeaders = [
  "x-amz-acl",
  "x-amz-content-sha256",
  "x-amz-copy-source",
  "x-amz-metadata-directive",
  "x-amz-server-side-encryption",
  "x-amz-storage-class",
];

/** aws:PrincipalArn is the role of a session, not the session. */
const roleArn = (arn: string) =>
  arn.replace(/^arn:aws:sts::(\d+):assumed-role\/([^/]+)\/.*$/, "arn:aws:iam::$1:role/$2");

const denied = (message = "Access Denied") => new S3Error("AccessDenied", message);

/** Returns the error with which S3 refuses a wrong signature. https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html */
export function refusal(
  s3: S3,
  { problem, message }: VerifySignature.Rejected,
  isPresigned = false,
): S3Error {
  const serverTime = { ServerTime: new Date().toISOString() };
  switch (problem) {
    case "mismatch":
      return new S3Error("SignatureDoesNotMatch", message);
    case "unknown-key":
      return new S3Error("InvalidAccessKeyId", message);
    case "bad-token":
      return new S3Error("InvalidToken", message);
    case "skewed":
    case "not-yet-valid":
      return isPresigned
        ? new S3Error("AccessDenied", message, serverTime)
        : new S3Error("RequestTimeTooSkewed", message, {
            ...serverTime,
            MaxAllowedSkewMilliseconds: "900000",
          });
    case "expired":
      return new S3Error("AccessDenied", message, serverTime);
    case "missing":
    case "unsigned-header":
      return new S3Error("AccessDenied", message);
    case "malformed":
    case "wrong-scope":
      return new S3Error(
        isPresigned ? "AuthorizationQueryParametersError" : "AuthorizationHeaderMalformed",
        message,
      );
  }
}
