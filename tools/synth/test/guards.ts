import { describe, expect, test } from "vitest";

import { resourceNamed, resourcesOfType } from "../src/graph.ts";
import * as Read from "./read.ts";

// of an account whose quota is the usual one, AWS keeps 100 for functions without a reservation:
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html
const ACCOUNT_CONCURRENCY = 1000;
const MIN_UNRESERVED = 100;

export const guards = (graphs: () => Read.Graphs) =>
  describe("guards", () => {
    const reservedOf = (graph: Read.Graphs["laptop"]): Record<string, number> =>
      Object.fromEntries(
        Read.functions(graph)
          .map((handler): [string, number] => [
            Read.logical(graph, handler),
            handler.inputs.reservedConcurrentExecutions ?? -1,
          ])
          .filter(([, reserved]) => reserved >= 0),
      );

    test("renders and uploads leave the API its functions, within the quota of an account", () => {
      const { production } = graphs();
      const reserved = reservedOf(production);
      expect(Object.keys(reserved).toSorted()).toEqual(["ApiHandler", "Deliver"]);
      const unreserved =
        ACCOUNT_CONCURRENCY - Object.values(reserved).reduce((sum, one) => sum + one, 0);
      expect(unreserved).toBeGreaterThanOrEqual(MIN_UNRESERVED);
      const mappings = resourcesOfType(
        production,
        "aws:lambda/eventSourceMapping:EventSourceMapping",
      );
      // a stream has as many batches at once as it has shards: ten allow for growth
      const polled = mappings.map(({ inputs }) => inputs.scalingConfig?.maximumConcurrency ?? 10);
      expect(polled.reduce((sum, one) => sum + one, 0)).toBeLessThanOrEqual(unreserved);
    });

    test("a stage in a new account reserves nothing, because its quota may be 10", () => {
      for (const graph of [graphs().laptop, graphs().dev]) expect(reservedOf(graph)).toEqual({});
    });

    test("expensive methods have lower limits, and none has a higher one than the stage", () => {
      const limits = resourcesOfType(
        graphs().production,
        "aws:apigateway/methodSettings:MethodSettings",
      ).map(({ inputs }) => [
        inputs.methodPath,
        inputs.settings.throttlingRateLimit,
        inputs.settings.throttlingBurstLimit,
      ]);
      expect(limits).toMatchInlineSnapshot(`
        [
          [
            "*/*",
            2000,
            1000,
          ],
          [
            "i/{id}/GET",
            1000,
            500,
          ],
          [
            "i/{id}/{rev}/GET",
            1000,
            500,
          ],
          [
            "i/{id}/{rev}/{preset}/GET",
            1000,
            500,
          ],
          [
            "i/{id}/HEAD",
            1000,
            500,
          ],
          [
            "i/{id}/{rev}/HEAD",
            1000,
            500,
          ],
          [
            "i/{id}/{rev}/{preset}/HEAD",
            1000,
            500,
          ],
          [
            "v1/images/POST",
            50,
            200,
          ],
          [
            "v1/images/{id}/urls/POST",
            100,
            100,
          ],
          [
            "v1/uploads/POST",
            50,
            200,
          ],
          [
            "v1/uploads/{id}/parts/POST",
            100,
            100,
          ],
          [
            "s3/PUT",
            50,
            200,
          ],
        ]
      `);
      const { Deliver } = reservedOf(graphs().production);
      for (const [, rate] of limits) expect(rate).toBeLessThanOrEqual(2_000);
      for (const [, , burst] of limits.filter(([path]) => path.startsWith("i/")))
        expect(burst).toBeLessThanOrEqual(Deliver!);
    });

    test("a method's limit is of a method that exists", () => {
      for (const graph of [graphs().production, graphs().dev]) {
        const resources = resourcesOfType(graph, "aws:apigateway/resource:Resource");
        const pathOf = (id: string): string => {
          const found = resources.find((resource) => resource.id === id);
          return found ? `${pathOf(found.inputs.parentId)}${found.inputs.pathPart}/` : "";
        };
        const methods = resourcesOfType(graph, "aws:apigateway/method:Method").map(
          ({ inputs }) => `${pathOf(inputs.resourceId)}${inputs.httpMethod}`,
        );
        const limited = resourcesOfType(graph, "aws:apigateway/methodSettings:MethodSettings").map(
          ({ inputs }) => inputs.methodPath,
        );
        expect(limited.length).toBeGreaterThan(5);
        expect(methods).toEqual(expect.arrayContaining(limited.filter((path) => path !== "*/*")));
      }
    });

    test("the limit of an address is of production's API only", () => {
      const { production, laptop, dev } = graphs();
      for (const graph of [laptop, dev])
        expect(resourcesOfType(graph, "aws:wafv2/webAcl:WebAcl")).toEqual([]);
      const [association] = resourcesOfType(
        production,
        "aws:wafv2/webAclAssociation:WebAclAssociation",
      );
      const [stage] = resourcesOfType(production, "aws:apigateway/stage:Stage");
      expect(association!.inputs).toEqual({
        resourceArn: stage!.outputs.arn,
        webAclArn: resourceNamed(production, "ApiFirewall").outputs.arn,
      });
    });

    test("each dead-letter queue has an alarm, and each alarm tells the topic", () => {
      const { production, dev } = graphs();
      expect(resourcesOfType(dev, "aws:cloudwatch/metricAlarm:MetricAlarm")).toEqual([]);
      const topic = resourceNamed(production, "Alarms").outputs.arn;
      const alarms = resourcesOfType(production, "aws:cloudwatch/metricAlarm:MetricAlarm");
      for (const { inputs } of alarms)
        expect(inputs).toMatchObject({ alarmActions: [topic], treatMissingData: "notBreaching" });
      const watched = alarms.flatMap(({ inputs }) => inputs.dimensions.QueueName ?? []);
      const destinations = [
        ...resourcesOfType(production, "aws:sqs/queue:Queue").flatMap(({ inputs }) =>
          inputs.redrivePolicy ? JSON.parse(inputs.redrivePolicy).deadLetterTargetArn : [],
        ),
        ...resourcesOfType(production, "aws:lambda/eventSourceMapping:EventSourceMapping").flatMap(
          ({ inputs }) => inputs.destinationConfig?.onFailure?.destinationArn ?? [],
        ),
      ];
      const names = destinations.map((arn: string) => arn.split(":").at(-1));
      expect(new Set(watched)).toEqual(new Set(names));
    });

    test("accounts have optional authenticators, short sessions, and rights of their own", () => {
      const { production, laptop } = graphs();
      for (const graph of [production, laptop]) {
        expect(resourcesOfType(graph, "aws:cognito/userPool:UserPool")[0]!.inputs).toMatchObject({
          mfaConfiguration: "OPTIONAL",
          softwareTokenMfaConfiguration: { enabled: true },
          userAttributeUpdateSettings: { attributesRequireVerificationBeforeUpdates: ["email"] },
        });
        expect(
          resourcesOfType(graph, "aws:cognito/userPoolClient:UserPoolClient")[0]!.inputs,
        ).toMatchObject({
          writeAttributes: ["email"],
          readAttributes: ["email", "email_verified"],
        });
      }
      expect(
        resourcesOfType(production, "aws:cognito/userPoolClient:UserPoolClient")[0]!.inputs,
      ).toMatchObject({ idTokenValidity: 15, accessTokenValidity: 15, refreshTokenValidity: 30 });
    });
  });
