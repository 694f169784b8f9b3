import type { IncomingMessage } from "node:http";

import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";
import { ServiceError } from "../service-error.ts";
import type { AccessRequest, Statement } from "./policy.ts";
import { type Principal, type Principals, authorize } from "./principals.ts";
import { signatureAge } from "./signature-age.ts";
import * as VerifySignature from "./verify-signature.ts";

/** Authentication and authorization of the requests to one service. */
export type RequestAccess = {
  /** Returns the principal that signed the request. @throws ServiceError if the signature is missing or wrong. */
  authenticate(request: IncomingMessage, body: Buffer): Principal;
  /** @throws ServiceError, and logs, if the principal's policies do not allow the action. */
  authorize(
    principal: Principal,
    access: AccessRequest,
    resourcePolicy?: readonly Statement[],
  ): void;
};

export function createRequestAccess({
  service,
  region,
  principals,
  clock,
  log,
  /** SQS writes the action in lower case in its messages. */
  actionInMessage = (action: string) => action,
}: {
  service: string;
  region: string;
  principals: Principals;
  clock: Clock;
  log: Log;
  actionInMessage?: (action: string) => string;
}): RequestAccess {
  const find = (accessKeyId: string) => principals.find(accessKeyId);
  return {
    authenticate(request, body) {
      const signed = {
        method: request.method ?? "POST",
        url: request.url ?? "/",
        headers: request.headers,
        body,
      };
      const verify = VerifySignature.isPresigned(signed)
        ? VerifySignature.verifyQuery
        : VerifySignature.verifyHeader;
      const verification = verify(signed, find, {
        service,
        region,
        now: Date.now(),
        ageOf: signatureAge(clock),
      });
      if (verification.ok) return verification.principal;
      const type = signatureErrors[verification.problem];
      throw new ServiceError(`com.amazon.coral.service#${type}`, verification.message);
    },
    authorize(principal, access, resourcePolicy) {
      const decision = authorize(principal, access, log, resourcePolicy);
      if (decision.allowed) return;
      const message = decision.message.replaceAll(access.action, actionInMessage(access.action));
      throw new ServiceError("com.amazon.coral.service#AccessDeniedException", message);
    },
  };
}

/** https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html */
const signatureErrors: Record<VerifySignature.SignatureProblem, string> = {
  missing: "MissingAuthenticationTokenException",
  malformed: "IncompleteSignatureException",
  "wrong-scope": "InvalidSignatureException",
  "unknown-key": "UnrecognizedClientException",
  "bad-token": "UnrecognizedClientException",
  skewed: "InvalidSignatureException",
  "not-yet-valid": "InvalidSignatureException",
  expired: "InvalidSignatureException",
  "unsigned-header": "InvalidSignatureException",
  mismatch: "InvalidSignatureException",
};
