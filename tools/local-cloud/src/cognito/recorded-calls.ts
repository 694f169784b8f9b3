import type { IncomingMessage } from "node:http";

import { type ApiCall, cloudTrailEvent } from "../eventbridge/cloudtrail-event.ts";
import type { EventBus } from "../eventbridge/event-bus.ts";
import { CognitoError } from "./cognito-error.ts";

/** The actions whose calls are events here, because Cognito has no trigger for the end of a user. AWS records nearly all. */
const RECORDED_ACTIONS = new Set(["DeleteUser", "AdminDeleteUser"]);

const HIDDEN = "HIDDEN_DUE_TO_SECURITY_REASONS";

export type CallRecorder = {
  /** Puts the event of a call that succeeded. `sub` is of the user that it was about. */
  succeeded(sub: string): void;
  /** Puts the event of a call that failed, which is the same with `errorCode`. */
  failed(error: unknown): void;
};

type Call = Pick<ApiCall, "action" | "region" | "account" | "requestId" | "now" | "callerArn"> & {
  req: IncomingMessage;
  userPoolId: unknown;
};

/**
 * Returns what records one call for CloudTrail. Its event has the user's `sub` and neither name nor token [V-WILD]:
 * https://zenn.dev/mn87/articles/48ea5d58eba18e.
 * https://docs.aws.amazon.com/cognito/latest/developerguide/logging-using-cloudtrail.html
 */
export function createCallRecorder(bus: EventBus | undefined, call: Call): CallRecorder {
  const put = (more: Partial<ApiCall>) => {
    if (!bus || !RECORDED_ACTIONS.has(call.action)) return;
    const { req, userPoolId, ...fields } = call;
    const isOwn = call.action === "DeleteUser";
    bus.put(
      cloudTrailEvent({
        service: "cognito-idp",
        ...fields,
        sourceIp: req.socket.remoteAddress ?? "127.0.0.1",
        userAgent: req.headers["user-agent"] ?? "",
        requestParameters: isOwn ? { accessToken: HIDDEN } : { userPoolId, username: HIDDEN },
        ...more,
      }),
    );
  };
  return {
    succeeded: (sub) => put({ additionalEventData: { sub } }),
    failed(error) {
      if (error instanceof CognitoError)
        put({ error: { code: error.name, message: error.message } });
    },
  };
}
