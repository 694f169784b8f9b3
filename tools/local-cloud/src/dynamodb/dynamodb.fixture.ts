import {
  type DynamoDBStreamsClient,
  DescribeStreamCommand,
  GetRecordsCommand,
  GetShardIteratorCommand,
  type _Record,
} from "@aws-sdk/client-dynamodb-streams";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

import { createClock } from "../clock.ts";
import { createPrincipals } from "../iam/principals.ts";
import { silentLog } from "../log.ts";
import type { GraphFile, ResourceInFile } from "../graph/graph-file.ts";
import { parseGraph } from "../graph/resource-graph.ts";
import { startDynamo } from "./dynamodb.ts";

export const region = "eu-central-1";
export const account = "123456789012";
export const tableArn = `arn:aws:dynamodb:${region}:${account}:table/app-dev-Things`;
const roleArn = `arn:aws:iam::${account}:role/app-dev-Worker`;
const streamArn = `${tableArn}/stream/2026-01-01T00:00:00.000`;

export type TestTable = Awaited<ReturnType<typeof startTestTable>>;

/** Starts a table with an index, a stream and a time to live, and a role with the given policy statements. */
export async function startTestTable(
  statements: object[] = [],
  { folder = mkdtempSync(join(tmpdir(), "dynamo-")), table = {} as object } = {},
) {
  const graph = parseGraph(graphOf(statements, table));
  const db = new DatabaseSync(join(folder, "state.sqlite"));
  const denials: object[] = [];
  const log = { ...silentLog, denied: (denial: object) => void denials.push(denial) };
  const clock = createClock();
  const principals = createPrincipals({ graph, db });
  const dynamo = await startDynamo({ graph, db, folder, principals, clock, log, env: {} }).catch(
    (error: unknown) => {
      db.close();
      rmSync(folder, { recursive: true, force: true });
      throw error;
    },
  );

  return {
    graph,
    folder,
    dynamo,
    clock,
    principals,
    denials,
    streamArn,
    as(caller: "role" | "operator") {
      const { accessKeyId, secretAccessKey, sessionToken } =
        caller === "operator"
          ? principals.operator
          : principals.forRole(roleArn, "lambda.amazonaws.com");
      const credentials = {
        accessKeyId,
        secretAccessKey,
        ...(sessionToken ? { sessionToken } : {}),
      };
      return { region, endpoint: dynamo.url, credentials, maxAttempts: 1 };
    },
    async records(client: DynamoDBStreamsClient): Promise<_Record[]> {
      const { StreamDescription } = await client.send(
        new DescribeStreamCommand({ StreamArn: streamArn }),
      );
      const { ShardIterator } = await client.send(
        new GetShardIteratorCommand({
          StreamArn: streamArn,
          ShardId: StreamDescription?.Shards?.[0]?.ShardId,
          ShardIteratorType: "TRIM_HORIZON",
        }),
      );
      return (await client.send(new GetRecordsCommand({ ShardIterator }))).Records ?? [];
    },
    async close({ keep = false } = {}) {
      await dynamo.close();
      db.close();
      if (!keep) rmSync(folder, { recursive: true, force: true });
    },
  };
}

function graphOf(statements: object[], table: object): GraphFile {
  const resource = (type: string, id: string, inputs: object, outputs: object): ResourceInFile => ({
    urn: `urn:pulumi:dev::app::${type}::${id}`,
    type,
    name: id.replace("app-dev-", ""),
    id,
    inputs,
    outputs,
  });
  const trust = {
    Effect: "Allow",
    Principal: { Service: "lambda.amazonaws.com" },
    Action: "sts:AssumeRole",
  };
  return {
    app: "app",
    stage: "dev",
    region,
    account,
    functions: {},
    resources: [
      resource(
        "aws:dynamodb/table:Table",
        "app-dev-Things",
        {
          attributes: ["pk", "sk", "gsi1pk"].map((name) => ({ name, type: "S" })),
          hashKey: "pk",
          rangeKey: "sk",
          streamEnabled: true,
          streamViewType: "NEW_AND_OLD_IMAGES",
          ttl: { attributeName: "expiresAt", enabled: true },
          globalSecondaryIndexes: [{ name: "gsi1", hashKey: "gsi1pk", projectionType: "ALL" }],
          ...table,
        },
        { arn: tableArn, streamArn },
      ),
      resource(
        "aws:iam/role:Role",
        "app-dev-Worker",
        {
          name: "app-dev-Worker",
          assumeRolePolicy: JSON.stringify({ Statement: [trust] }),
          inlinePolicies: [{ name: "inline", policy: JSON.stringify({ Statement: statements }) }],
        },
        { arn: roleArn },
      ),
      resource(
        "aws:lambda/function:Function",
        "app-dev-Worker",
        { name: "app-dev-Worker", role: roleArn },
        { arn: `arn:aws:lambda:${region}:${account}:function:app-dev-Worker` },
      ),
    ],
  };
}
