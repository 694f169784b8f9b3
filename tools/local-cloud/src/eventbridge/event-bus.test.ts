import { DatabaseSync } from "node:sqlite";

import { expect, test } from "vitest";

import { createClock } from "../clock.ts";
import type { ResourceInFile } from "../graph/graph-file.ts";
import { parseGraph } from "../graph/resource-graph.ts";
import { createAsynchronousEvents } from "../lambda/asynchronous/event-store.ts";
import { silentLog } from "../log.ts";
import { createQueues } from "../sqs/queues.ts";
import { cloudTrailEvent } from "./cloudtrail-event.ts";
import { createEventBus } from "./event-bus.ts";

const account = "123456789012";
const region = "eu-central-1";
const ruleArn = `arn:aws:events:${region}:${account}:rule/deleted`;
const queueArn = `arn:aws:sqs:${region}:${account}:commands`;
const functionArn = `arn:aws:lambda:${region}:${account}:function:watch`;

const resource = (
  type: string,
  id: string,
  inputs: object,
  outputs: object = {},
): ResourceInFile => ({
  urn: `urn:${type}::${id}`,
  type,
  name: id,
  id,
  inputs,
  outputs,
});

const pattern = {
  source: ["aws.cognito-idp"],
  "detail-type": ["AWS API Call via CloudTrail"],
  detail: { eventName: ["DeleteUser", "AdminDeleteUser"], errorCode: [{ exists: false }] },
};

const command = {
  inputPaths: { sub: "$.detail.additionalEventData.sub", rest: "$.detail.requestParameters" },
  inputTemplate: '{"kind":"deleteUser","userId":"<sub>","rest":<rest>}',
};

function startBus({
  rule = {},
  target = {},
  sourceArn = ruleArn,
}: { rule?: object; target?: object; sourceArn?: string } = {}) {
  const allow = {
    Effect: "Allow",
    Principal: { Service: "events.amazonaws.com" },
    Action: "sqs:SendMessage",
    Resource: queueArn,
    Condition: { ArnEquals: { "aws:SourceArn": sourceArn } },
  };
  const graph = parseGraph({
    app: "test",
    stage: "test",
    region,
    account,
    functions: {},
    resources: [
      resource(
        "aws:cloudwatch/eventRule:EventRule",
        "deleted",
        { eventPattern: JSON.stringify(pattern), ...rule },
        { arn: ruleArn },
      ),
      resource("aws:cloudwatch/eventTarget:EventTarget", "toQueue", {
        rule: "deleted",
        arn: queueArn,
        inputTransformer: command,
        ...target,
      }),
      resource("aws:cloudwatch/eventTarget:EventTarget", "toFunction", {
        rule: "deleted",
        arn: functionArn,
      }),
      resource(
        "aws:sqs/queue:Queue",
        `https://sqs.${region}.amazonaws.com/${account}/commands`,
        { name: "commands", policy: JSON.stringify({ Statement: [allow] }) },
        { arn: queueArn },
      ),
      resource("aws:lambda/function:Function", "watch", { role: "r" }, { arn: functionArn }),
      resource("aws:lambda/permission:Permission", "may", {
        action: "lambda:InvokeFunction",
        function: "watch",
        principal: "events.amazonaws.com",
        sourceArn: ruleArn,
      }),
    ],
  });
  const db = new DatabaseSync(":memory:");
  const clock = createClock();
  const queues = createQueues({ graph, db, clock, log: silentLog });
  const asynchronous = createAsynchronousEvents(db, clock);
  const bus = createEventBus({ graph, queues, asynchronous, clock });
  return {
    put: bus.put,
    messages: () => queues.receive(queueArn, 10).map(({ body }) => JSON.parse(body)),
    invocations: () => asynchronous.due(10).map(({ payload }) => JSON.parse(payload)),
  };
}

const deletion = (more: object = {}) =>
  cloudTrailEvent({
    service: "cognito-idp",
    action: "AdminDeleteUser",
    region,
    account,
    requestId: "r",
    sourceIp: "127.0.0.1",
    userAgent: "test",
    now: 0,
    callerArn: undefined,
    requestParameters: { userPoolId: "p" },
    additionalEventData: { sub: 'a "quoted" sub' },
    ...more,
  });

test("an event reaches a queue as the template says, and a function as it is", () => {
  const { put, messages, invocations } = startBus();
  put(deletion());
  expect(messages()).toEqual([
    { kind: "deleteUser", userId: 'a "quoted" sub', rest: { userPoolId: "p" } },
  ]);
  expect(invocations()).toEqual(
    [
      {
        version: "0",
        id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        source: "aws.cognito-idp",
        "detail-type": "AWS API Call via CloudTrail",
        detail: deletion().detail,
        account,
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
        region,
        resources: [],
      },
    ].map((event) => ({ ...event, detail: { ...event.detail, eventID: expect.any(String) } })),
  );
});

test("another event, a failed call and a disabled rule send nothing", () => {
  const { put, messages } = startBus();
  put(deletion({ action: "AdminGetUser" }));
  put(deletion({ error: { code: "UserNotFoundException", message: "User does not exist." } }));
  put({ ...deletion(), source: "other" });
  expect(messages()).toEqual([]);
  const disabled = startBus({ rule: { state: "DISABLED" } });
  disabled.put(deletion());
  expect(disabled.messages()).toEqual([]);
});

test("what AWS would lose or is not emulated stops the start", () => {
  expect(() => startBus({ sourceArn: `${ruleArn}2` })).toThrow(
    /does not allow events.amazonaws.com/,
  );
  expect(() => startBus({ target: { arn: `${queueArn}2` } })).toThrow(/no queue or function/);
  const path = (sub: string) => ({
    target: { inputTransformer: { ...command, inputPaths: { sub, rest: "$.detail" } } },
  });
  expect(() => startBus(path("$.detail[0]"))).toThrow(/is not emulated/);
  const variable = { target: { inputTransformer: { inputTemplate: '"<other>"' } } };
  expect(() => startBus(variable)).toThrow(/no path for the variable <other>/);
  const odd = JSON.stringify({ detail: { a: [{ cidr: "10.0.0.0/8" }] } });
  expect(() => startBus({ rule: { eventPattern: odd } })).toThrow(/is not emulated/);
});
