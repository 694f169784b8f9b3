import type { AccessRequest, Statement } from "../../iam/policy.ts";
import { type Principal, authorize as mayDo } from "../../iam/principals.ts";
import * as VerifySignature from "../../iam/verify-signature.ts";
import type { Exchange } from "../request-context.ts";
import type { Parts } from "../dependencies.ts";
import { Refusal } from "../refusal.ts";
import { methodArn } from "../method-arn.ts";

// execute-api allows five minutes [K]
const SKEW_SECONDS = 300;

/** AWS_IAM: the signature, then `execute-api:Invoke` in the caller's own policies and the API's. */
export function byIam(exchange: Exchange, parts: Parts): void {
  const request = {
    method: exchange.httpMethod,
    url: exchange.fullPath + (exchange.rawQuery && `?${exchange.rawQuery}`),
    headers: lowerCased(exchange.headers),
    body: exchange.body,
  };
  const ask = {
    action: "execute-api:Invoke",
    resource: methodArn(exchange),
    context: { "aws:SourceIp": exchange.identity.sourceIp },
  };
  const principal = signer(request, ask, parts, exchange.stage.api.policy?.statements);
  Object.assign(exchange.identity, {
    accessKey: principal.accessKeyId,
    accountId: parts.graph.account,
    caller: principal.accessKeyId,
    user: principal.accessKeyId,
    userArn: principal.arn,
  });
}

/** Who signed a request to execute-api and may do what it asks; anybody else is a Refusal. */
export function signer(
  request: VerifySignature.SignedRequest,
  ask: AccessRequest,
  { principals, graph, clock, log }: Pick<Parts, "principals" | "graph" | "clock" | "log">,
  ofResource?: readonly Statement[],
): Principal {
  if (!VerifySignature.isSigned(request)) throw new Refusal("MISSING_AUTHENTICATION_TOKEN");
  const verify = VerifySignature.isPresigned(request)
    ? VerifySignature.verifyQuery
    : VerifySignature.verifyHeader;
  const outcome = verify(request, (id) => principals.find(id), {
    service: "execute-api",
    region: graph.region,
    now: Date.now(),
    ageOf: clock.since,
    maxSkewSeconds: SKEW_SECONDS,
  });
  if (!outcome.ok) throw refusal(outcome);
  const decision = mayDo(outcome.principal, ask, log, ofResource);
  if (!decision.allowed) throw new Refusal("ACCESS_DENIED", { text: decision.message });
  return outcome.principal;
}

/** In the words of execute-api. */
function refusal({ problem, message }: VerifySignature.Rejected): Refusal {
  switch (problem) {
    case "missing":
      return new Refusal("MISSING_AUTHENTICATION_TOKEN");
    case "malformed":
    case "unsigned-header":
      return new Refusal("INVALID_SIGNATURE", {
        text: message,
        errorType: "IncompleteSignatureException",
      });
    case "unknown-key":
    case "bad-token":
      return new Refusal("INVALID_SIGNATURE", {
        text: "The security token included in the request is invalid.",
        errorType: "UnrecognizedClientException",
      });
    case "expired":
    case "skewed":
      return new Refusal("INVALID_SIGNATURE", { text: "Signature expired" });
    case "not-yet-valid":
      return new Refusal("INVALID_SIGNATURE", { text: "Signature not yet current" });
    case "wrong-scope":
      return new Refusal("INVALID_SIGNATURE", { text: message });
    case "mismatch":
      return new Refusal("INVALID_SIGNATURE");
  }
}

export function lowerCased(fields: [string, string][]): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = {};
  for (const [name, value] of fields) {
    const lower = name.toLowerCase();
    const before = headers[lower];
    headers[lower] = before === undefined ? value : [before, value].flat();
  }
  return headers;
}
