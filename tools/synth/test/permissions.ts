import { describe, expect, test } from "vitest";

import { wildcardPermissions } from "../../../infra/wildcard-permissions.ts";
import { resourcesOfType } from "../src/graph.ts";
import * as Policy from "../../local-cloud/src/iam/policy.ts";
import * as Read from "./read.ts";

/** Rules for IAM. The snapshot of permissions per handler is the first table that a reviewer must read. */
export const permissions = (graphs: () => Read.Graphs) =>
  describe("permissions", () => {
    test("each handler has these permissions and no others", () => {
      const { laptop } = graphs();
      const table = Object.fromEntries(
        Read.roles(laptop)
          .toSorted((one, other) => (one.name < other.name ? -1 : 1))
          .map((role) => [
            Read.logical(laptop, role),
            Read.permissionsOf(role).map(({ Effect, Action, Resource, Condition }) =>
              [
                Effect === "Allow" ? "" : "Deny ",
                Read.list(Action).join(" "),
                " on ",
                Read.list(Resource)
                  .map((arn) => Read.shorten(laptop, arn))
                  .join(" "),
                Condition ? ` if ${JSON.stringify(Condition)}` : "",
              ].join(""),
            ),
          ]),
      );
      expect(table).toMatchInlineSnapshot(`
        {
          "Admin": [
            "dynamodb:Scan on dynamodb:table/DataTable",
            "dynamodb:GetItem dynamodb:UpdateItem on dynamodb:table/DataTable if {"ForAllValues:StringLike":{"dynamodb:LeadingKeys":["IMAGE#*","USER#*"]}}",
            "dynamodb:PutItem on dynamodb:table/DataTable if {"ForAllValues:StringLike":{"dynamodb:LeadingKeys":"USER#*"}}",
            "dynamodb:Query on dynamodb:table/DataTable/index/*",
            "sqs:SendMessage sqs:GetQueueAttributes on sqs:IngestQueue",
            "sqs:StartMessageMoveTask sqs:ReceiveMessage sqs:DeleteMessage sqs:GetQueueAttributes on sqs:IngestDeadQueue",
            "sqs:GetQueueAttributes on sqs:SyncQueue",
            "sqs:GetQueueAttributes on sqs:OutboxDeadQueue",
            "sqs:GetQueueAttributes on sqs:CountDeadQueue",
            "xray:PutTraceSegments xray:PutTelemetryRecords on *",
            "logs:CreateLogStream logs:PutLogEvents on logs:log-group:/aws/lambda/balde/laptop/Admin:*",
          ],
          "ApiHandler": [
            "dynamodb:GetItem dynamodb:BatchGetItem dynamodb:Query dynamodb:PutItem dynamodb:UpdateItem dynamodb:DeleteItem dynamodb:ConditionCheckItem on dynamodb:table/DataTable",
            "dynamodb:Query on dynamodb:table/DataTable/index/*",
            "s3:PutObject s3:GetObject s3:ListMultipartUploadParts s3:AbortMultipartUpload on s3:::imagesbucket/uploads/*",
            "s3:ListBucket on s3:::imagesbucket",
            "xray:PutTraceSegments xray:PutTelemetryRecords on *",
            "logs:CreateLogStream logs:PutLogEvents on logs:log-group:/aws/lambda/balde/laptop/ApiHandler:*",
          ],
          "ApiNamedWriter": [
            "s3:PutObject on s3:::imagesbucket/uploads/named/????????-????-????-????-????????????/image/?*/name/* s3:::imagesbucket/uploads/named/????????-????-????-????-????????????/Image/?*/name/* s3:::imagesbucket/uploads/named/????????-????-????-????-????????????/IMAGE/?*/name/* s3:::imagesbucket/uploads/named/????????-????-????-????-????????????/application/octet-stream/name/*",
            "Deny s3:PutObject on s3:::imagesbucket/uploads/named/*/name/*/name/* s3:::imagesbucket/uploads/named/*/*/*/*/name/*",
          ],
          "ApiPictureReader": [
            "s3:GetObject on s3:::imagesbucket/images/*",
          ],
          "Count": [
            "dynamodb:DescribeStream dynamodb:GetRecords dynamodb:GetShardIterator on dynamodb:table/DataTable/stream/2026-01-01T00:00:00.000",
            "dynamodb:GetItem dynamodb:PutItem on dynamodb:table/DataTable if {"ForAllValues:StringLike":{"dynamodb:LeadingKeys":"IMAGE#*"}}",
            "dynamodb:Query on dynamodb:table/DataTable if {"ForAllValues:StringLike":{"dynamodb:LeadingKeys":"LIKE#*"}}",
            "sqs:SendMessage on sqs:CountDeadQueue",
            "xray:PutTraceSegments xray:PutTelemetryRecords on *",
            "logs:CreateLogStream logs:PutLogEvents on logs:log-group:/aws/lambda/balde/laptop/Count:*",
          ],
          "Deliver": [
            "s3:GetObject on s3:::imagesbucket/originals/* s3:::imagesbucket/ladder/* s3:::imagesbucket/derived/*",
            "s3:PutObject on s3:::imagesbucket/derived/*",
            "s3:ListBucket on s3:::imagesbucket",
            "dynamodb:GetItem on dynamodb:table/DataTable if {"ForAllValues:StringLike":{"dynamodb:LeadingKeys":["IMAGE#*","MADE#*"]}}",
            "dynamodb:UpdateItem on dynamodb:table/DataTable if {"ForAllValues:StringLike":{"dynamodb:LeadingKeys":"MADE#*"}}",
            "xray:PutTraceSegments xray:PutTelemetryRecords on *",
            "logs:CreateLogStream logs:PutLogEvents on logs:log-group:/aws/lambda/balde/laptop/Deliver:*",
          ],
          "IngestHandler": [
            "sqs:ReceiveMessage sqs:DeleteMessage sqs:GetQueueAttributes sqs:ChangeMessageVisibility on sqs:IngestQueue",
            "sqs:ReceiveMessage sqs:DeleteMessage sqs:GetQueueAttributes sqs:ChangeMessageVisibility on sqs:SyncQueue",
            "sqs:SendMessage on sqs:IngestQueue",
            "sqs:SendMessage on sqs:SyncQueue",
            "s3:GetObject s3:DeleteObject s3:DeleteObjectVersion s3:AbortMultipartUpload on s3:::imagesbucket/uploads/*",
            "s3:ListBucketMultipartUploads on s3:::imagesbucket if {"StringLike":{"s3:prefix":"uploads/*"}}",
            "s3:PutObject s3:DeleteObject s3:DeleteObjectVersion on s3:::imagesbucket/originals/* s3:::imagesbucket/ladder/* s3:::imagesbucket/derived/* s3:::imagesbucket/images/*",
            "s3:GetObject on s3:::imagesbucket/originals/*",
            "s3:GetObject s3:GetObjectVersion on s3:::imagesbucket/images/*",
            "s3:ListBucket on s3:::imagesbucket",
            "s3:ListBucketVersions on s3:::imagesbucket if {"StringLike":{"s3:prefix":["uploads/*","originals/*","ladder/*","derived/*","images/*"]}}",
            "dynamodb:GetItem dynamodb:PutItem dynamodb:UpdateItem on dynamodb:table/DataTable if {"ForAllValues:StringLike":{"dynamodb:LeadingKeys":["IMAGE#*","NAME#*","MADE#*","TAGGED#*","USER#*"]}}",
            "dynamodb:Query dynamodb:DeleteItem on dynamodb:table/DataTable if {"ForAllValues:StringLike":{"dynamodb:LeadingKeys":["IMAGE#*","NAME#*","MADE#*","TAGGED#*","USER#*","LIKE#*","IDEMPOTENCY#*"]}}",
            "dynamodb:Query on dynamodb:table/DataTable/index/*",
            "xray:PutTraceSegments xray:PutTelemetryRecords on *",
            "logs:CreateLogStream logs:PutLogEvents on logs:log-group:/aws/lambda/balde/laptop/IngestHandler:*",
          ],
          "Outbox": [
            "dynamodb:DescribeStream dynamodb:GetRecords dynamodb:GetShardIterator on dynamodb:table/DataTable/stream/2026-01-01T00:00:00.000",
            "sqs:SendMessage on sqs:SyncQueue",
            "sqs:SendMessage on sqs:OutboxDeadQueue",
            "cognito-idp:ListUsers cognito-idp:AdminDeleteUser on cognito-idp:userpool/eu-central-1_54Aq2qhLO",
            "xray:PutTraceSegments xray:PutTelemetryRecords on *",
            "logs:CreateLogStream logs:PutLogEvents on logs:log-group:/aws/lambda/balde/laptop/Outbox:*",
          ],
        }
      `);
    });

    test("production has the same grants as the laptop", () => {
      const { laptop, production } = graphs();
      const of = (graph: typeof laptop) =>
        Read.roles(graph).map((role) =>
          Read.shorten(
            graph,
            JSON.stringify(Read.permissionsOf(role)).replaceAll(graph.stage, "{stage}"),
          ),
        );
      expect(of(production).toSorted()).toEqual(of(laptop).toSorted());
    });

    test("no action is a wildcard", () => {
      for (const graph of [graphs().laptop, graphs().production]) {
        const granted = allPolicies(graph).filter(({ Effect }) => Effect === "Allow");
        expect(granted.length).toBeGreaterThan(10);
        expect(
          granted
            .flatMap(({ Action }) => Read.list(Action))
            .filter((action) => action.includes("*")),
        ).toEqual([]);
      }
    });

    test("no permission applies to all resources except those that AWS cannot narrow", () => {
      const unavoidable = wildcardPermissions.flatMap(({ actions }) => actions);
      for (const graph of [graphs().laptop, graphs().production]) {
        const everywhere = allPolicies(graph)
          .filter(
            ({ Effect, Resource }) => Effect === "Allow" && Read.list(Resource).some(isEverything),
          )
          .flatMap(({ Action }) => Read.list(Action));
        expect(new Set(everywhere)).toEqual(new Set(unavoidable));
      }
      expect(wildcardPermissions.every(({ reason }) => reason.includes("https://"))).toBe(true);
    });

    test("Deliver reads images, leases and budgets, and no other row", () => {
      const { laptop } = graphs();
      const deliver = resourcesOfType(laptop, "aws:lambda/function:Function").find(
        (handler) => Read.logical(laptop, handler) === "Deliver",
      )!;
      const statements = Policy.parse(
        { Statement: Read.permissionsOf(Read.roleOf(laptop, deliver)) },
        "Deliver",
      );
      const mayRead = (pk: string) =>
        Policy.evaluate(statements, {
          action: "dynamodb:GetItem",
          resource: resourcesOfType(laptop, "aws:dynamodb/table:Table")[0]!.outputs.arn,
          context: { "dynamodb:LeadingKeys": [pk] },
        }).allowed;
      expect(["IMAGE#img_1", "MADE#img_1"].map(mayRead)).toEqual([true, true]);
      // an idempotency row, what a user has, a name, a like and the tags of an image
      for (const pk of [
        "IDEMPOTENCY#ann",
        "USER#ann",
        "NAME#a.jpg",
        "LIKE#img_1#0",
        "TAGGED#img_1",
      ])
        expect([pk, mayRead(pk)]).toEqual([pk, false]);
    });

    test("no role has a managed or separately attached policy", () => {
      for (const graph of [graphs().laptop, graphs().production]) {
        expect(
          Read.roles(graph).filter(({ inputs }) => Read.list(inputs.managedPolicyArns).length > 0),
        ).toEqual([]);
        expect(graph.resources.filter(({ type }) => /iam\/(?!role:)/.test(type))).toEqual([]);
      }
    });

    test("only Lambda can assume a function's role, and only the gateway the gateway's", () => {
      for (const graph of [graphs().laptop, graphs().production]) {
        const trusted = Read.roles(graph).map((role) => [role.name, Read.trust(role)]);
        expect(Object.fromEntries(trusted)).toEqual({
          AdminRole: [becomes("lambda.amazonaws.com")],
          ApiHandlerRole: [becomes("lambda.amazonaws.com")],
          CountRole: [becomes("lambda.amazonaws.com")],
          DeliverRole: [becomes("lambda.amazonaws.com")],
          OutboxRole: [becomes("lambda.amazonaws.com")],
          IngestHandlerRole: [becomes("lambda.amazonaws.com")],
          ApiNamedWriter: [becomes("apigateway.amazonaws.com")],
          ApiPictureReader: [becomes("apigateway.amazonaws.com")],
        });
      }
    });

    test("under sst dev the developer's machine can assume the function's role, on that stage only", () => {
      const handlers = Read.roles(graphs().dev).filter(({ parent }) => parent);
      expect(handlers.length).toBe(6);
      for (const role of handlers)
        expect(Read.trust(role)[0]!.Principal).toMatchObject({
          AWS: "arn:aws:iam::123456789012:root",
        });
    });

    test("every other allowed principal is limited to the resource on whose behalf it calls", () => {
      for (const graph of [graphs().laptop, graphs().production]) {
        const foreign = resourcePolicies(graph).filter(({ Effect }) => Effect === "Allow");
        for (const statement of foreign)
          expect(Object.values(statement.Condition ?? {}).flatMap(Object.keys)).toContain(
            "aws:SourceArn",
          );
      }
    });

    test("only our API on this stage may invoke a function", () => {
      const { laptop } = graphs();
      const permissions = resourcesOfType(laptop, "aws:lambda/permission:Permission");
      const api = resourcesOfType(laptop, "aws:apigateway/restApi:RestApi")[0]!;
      expect(permissions.map(({ inputs }) => inputs.function)).toHaveLength(3);
      for (const { inputs } of permissions)
        expect(inputs).toMatchObject({
          action: "lambda:InvokeFunction",
          principal: "apigateway.amazonaws.com",
          sourceArn: `${api.outputs.executionArn}/laptop/*`,
        });
    });

    test("a function may write its own log and traces", () => {
      const { laptop } = graphs();
      for (const handler of Read.functions(laptop)) {
        const name = Read.logical(laptop, handler);
        const granted = Read.permissionsOf(Read.roleOf(laptop, handler));
        expect(handler.inputs.loggingConfig.logGroup).toBe(`/aws/lambda/balde/laptop/${name}`);
        expect(granted.flatMap(({ Resource }) => Resource)).toContain(
          `arn:aws:logs:eu-central-1:123456789012:log-group:/aws/lambda/balde/laptop/${name}:*`,
        );
        expect(handler.inputs.tracingConfig).toEqual({ mode: "Active" });
        expect(granted.flatMap(({ Action }) => Action)).toContain("xray:PutTraceSegments");
      }
    });
  });

const becomes = (service: string) => ({
  Sid: "AllowAssumeRole",
  Effect: "Allow",
  Action: "sts:AssumeRole",
  Principal: { Service: service },
});

const isEverything = (arn: string) => /^(\*|arn:aws:[^:]*:[^:]*:[^:]*:\*?)$/.test(arn);

const resourcePolicies = (graph: Read.Graphs["laptop"]) =>
  graph.resources
    .filter(({ type }) => /(bucketPolicy|queuePolicy|topicPolicy|restApiPolicy):/.test(type))
    .flatMap(({ inputs }) => Read.statements(inputs.policy));

const allPolicies = (graph: Read.Graphs["laptop"]) => [
  ...Read.roles(graph).flatMap(Read.permissionsOf),
  ...resourcePolicies(graph),
];
