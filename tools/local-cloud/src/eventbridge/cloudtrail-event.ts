import { randomUUID } from "node:crypto";

import type { Entry } from "./event-bus.ts";

/** A call of an API that CloudTrail records. */
export type ApiCall = {
  /** `cognito-idp` */
  service: string;
  action: string;
  region: string;
  account: string;
  requestId: string;
  sourceIp: string;
  userAgent: string;
  now: number;
  /** Of the signature; undefined for an action that is not signed. */
  callerArn: string | undefined;
  requestParameters: object;
  additionalEventData?: object | undefined;
  error?: { code: string; message: string } | undefined;
};

/**
 * Returns the event of a call that changed something or failed to. AWS sends it only if the account has a trail that logs
 * management events, some minutes later, at least once.
 * https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html,
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail.html
 */
export function cloudTrailEvent(call: ApiCall): Entry {
  return {
    source: `aws.${call.service}`,
    "detail-type": "AWS API Call via CloudTrail",
    detail: {
      eventVersion: "1.08",
      userIdentity: call.callerArn
        ? { type: "AssumedRole", arn: call.callerArn, accountId: call.account }
        : { type: "Unknown", principalId: "Anonymous" },
      eventTime: new Date(call.now).toISOString().replace(/\.\d+Z$/, "Z"),
      eventSource: `${call.service}.amazonaws.com`,
      eventName: call.action,
      awsRegion: call.region,
      sourceIPAddress: call.sourceIp,
      userAgent: call.userAgent,
      ...(call.error && { errorCode: call.error.code, errorMessage: call.error.message }),
      requestParameters: call.requestParameters,
      responseElements: null,
      ...(call.additionalEventData && { additionalEventData: call.additionalEventData }),
      requestID: call.requestId,
      eventID: randomUUID(),
      readOnly: false,
      eventType: "AwsApiCall",
      managementEvent: true,
      recipientAccountId: call.account,
      eventCategory: "Management",
    },
  };
}
