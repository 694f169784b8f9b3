import { users } from "./auth.ts";
import { sync } from "./ingest.ts";

/**
 * A user can be deleted in the user pool itself: by the user (`DeleteUser`) or an administrator. Cognito has no trigger for it,
 * but CloudTrail records the call, and EventBridge has an event of each record, if the account has a trail that logs management
 * events. The event has the user's `sub`; that of `DeleteUser` does not say of which pool, so another pool's user is marked, too,
 * and owns nothing here. https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail.html
 */
const deletedUser = new aws.cloudwatch.EventRule("UserDeleted", {
  description: "A user was deleted in the user pool",
  eventPattern: $jsonStringify({
    source: ["aws.cognito-idp"],
    "detail-type": ["AWS API Call via CloudTrail"],
    detail: {
      // a call that failed is an event, too
      errorCode: [{ exists: false }],
      $or: [
        { eventName: ["DeleteUser"] },
        { eventName: ["AdminDeleteUser"], requestParameters: { userPoolId: [users.id] } },
      ],
    },
  }),
});

const policy = new aws.sqs.QueuePolicy("SyncFromUserDeleted", {
  queueUrl: sync.url,
  policy: $jsonStringify({
    Version: "2012-10-17",
    Statement: [
      {
        Effect: "Allow",
        Principal: { Service: "events.amazonaws.com" },
        Action: "sqs:SendMessage",
        Resource: sync.arn,
        Condition: { ArnEquals: { "aws:SourceArn": deletedUser.arn } },
      },
    ],
  }),
});

new aws.cloudwatch.EventTarget(
  "DeleteAccountOfUser",
  {
    rule: deletedUser.name,
    arn: sync.arn,
    inputTransformer: {
      inputPaths: { sub: "$.detail.additionalEventData.sub" },
      inputTemplate: `{"kind":"deleteUser","userId":"<sub>"}`,
    },
  },
  { dependsOn: [policy] },
);
