import type { AccessRequest, Statement } from "../../iam/policy.ts";
import { type Principal, authorize as mayDo } from "../../iam/principals.ts";
import { signatureAge } from "../../iam/signature-age.ts";
import * as VerifySignature from "../../iam/verify-signature.ts";
import type { RequestContext } from "../types.ts";
import type { Dependencies } from "../dependencies.ts";
import { GatewayError } from "../gateway-error.ts";
import { methodArn } from "../method-arn.ts";

// execute-api allows five minutes [K]
const SKEW_SECONDS = 300;

/** Authorizes with AWS_IAM: verifies the signature, then `execute-api:Invoke` in the caller's and the resource policy. @throws GatewayError */
export function authorizeWithIam(context: RequestContext, dependencies: Dependencies): void {
  const request = {
    method: context.httpMethod,
    url: context.fullPath + (context.rawQuery && `?${context.rawQuery}`),
    headers: headersByLowerCaseName(context.headers),
    body: context.body,
  };
  const access = {
    action: "execute-api:Invoke",
    resource: methodArn(context),
    context: { "aws:SourceIp": context.identity.sourceIp },
  };
  const principal = authorizeSignedRequest(
    request,
    access,
    dependencies,
    context.stage.api.policy?.statements,
  );
  Object.assign(context.identity, {
    accessKey: principal.accessKeyId,
    accountId: dependencies.graph.account,
    caller: principal.accessKeyId,
    user: principal.accessKeyId,
    userArn: principal.arn,
  });
}

/** Returns the principal that signed a request to execute-api. @throws GatewayError if the signature is invalid or the principal lacks the permission. */
export function authorizeSignedRequest(
  request: VerifySignature.SignedRequest,
  access: AccessRequest,
  { principals, graph, clock, log }: Pick<Dependencies, "principals" | "graph" | "clock" | "log">,
  ofResource?: readonly Statement[],
): Principal {
  if (!VerifySignature.isSigned(request)) throw new GatewayError("MISSING_AUTHENTICATION_TOKEN");
  const verify = VerifySignature.isPresigned(request)
    ? VerifySignature.verifyQuery
    : VerifySignature.verifyHeader;
  const outcome = verify(request, (id) => principals.find(id), {
    service: "execute-api",
    region: graph.region,
    now: Date.now(),
    ageOf: signatureAge(clock),
    maxSkewSeconds: SKEW_SECONDS,
  });
  if (!outcome.ok) throw gatewayError(outcome);
  const decision = mayDo(outcome.principal, access, log, ofResource);
  if (!decision.allowed) throw new GatewayError("ACCESS_DENIED", { text: decision.message });
  return outcome.principal;
}

/** Returns execute-api's error for an invalid signature. */
function gatewayError({ problem, message }: VerifySignature.Rejected): GatewayError {
  switch (problem) {
    case "missing":
      return new GatewayError("MISSING_AUTHENTICATION_TOKEN");
    case "malformed":
    case "unsigned-header":
      return new GatewayError("INVALID_SIGNATURE", {
        text: message,
        errorType: "IncompleteSignatureException",
      });
    case "unknown-key":
    case "bad-token":
      return new GatewayError("INVALID_SIGNATURE", {
        text: "The security token included in the request is invalid.",
        errorType: "UnrecognizedClientException",
      });
    case "expired":
    case "skewed":
      return new GatewayError("INVALID_SIGNATURE", { text: "Signature expired" });
    case "not-yet-valid":
      return new GatewayError("INVALID_SIGNATURE", { text: "Signature not yet current" });
    case "wrong-scope":
      return new GatewayError("INVALID_SIGNATURE", { text: message });
    case "mismatch":
      return new GatewayError("INVALID_SIGNATURE");
  }
}

/** Returns headers by lower-case name; repeated ones as a list. */
export function headersByLowerCaseName(
  fields: [string, string][],
): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = {};
  for (const [name, value] of fields) {
    const lower = name.toLowerCase();
    const before = headers[lower];
    headers[lower] = before === undefined ? value : [before, value].flat();
  }
  return headers;
}
