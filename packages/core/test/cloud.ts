import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { type Server, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";

import { silentLog } from "../../local/src/log.ts";
import { startEngine } from "../../local/src/storage/dynamo-engine.ts";
import { bucket, smallStack, startS3, versioned } from "../../local/src/storage/s3/s3.fixture.ts";

/** A table, a bucket and a queue for the verbs of core. Tells them where by environment variables, as Lambda would. */
export async function startCloud({ hasStream = false } = {}) {
  const folder = mkdtempSync(join(tmpdir(), "balde-core-"));
  const engine = await startEngine({ folder, log: silentLog, env: {} });
  // the engine is slow to write to a table that has a stream
  await engine.call("CreateTable", hasStream ? { ...table, StreamSpecification } : table);
  const s3 = await startS3(smallStack(bucket("images", versioned)));
  const messages: string[] = [];
  const queue = await listen(sqs(messages));
  const { accessKeyId, secretAccessKey } = s3.principals.operator;
  Object.assign(process.env, {
    AWS_REGION: "eu-central-1",
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_ENDPOINT_URL_DYNAMODB: engine.url,
    AWS_ENDPOINT_URL_S3: s3.endpoint,
    AWS_ENDPOINT_URL_SQS: queue.url,
    SST_RESOURCE_App: JSON.stringify({ name: "balde", stage: "test" }),
    SST_RESOURCE_Data: JSON.stringify({ name: table.TableName }),
    SST_RESOURCE_Images: JSON.stringify({ name: "images" }),
    SST_RESOURCE_Ingest: JSON.stringify({
      url: "https://sqs.eu-central-1.amazonaws.com/123456789012/ingest",
    }),
    SST_RESOURCE_Keys: JSON.stringify({ cursor: "a secret of tests" }),
  });
  return {
    engine,
    /** Commands that wait in the queue. */
    messages,
    /** What the bucket told about uploads. */
    events: s3.events,
    s3: s3.client(),
    async stop() {
      await s3.stop();
      await engine.close();
      queue.server.close();
      rmSync(folder, { recursive: true });
    },
  };
}

const sqs = (messages: string[]) =>
  createServer((request, response) => {
    const answer = async () => {
      const { MessageBody } = JSON.parse(await text(request)) as { MessageBody: string };
      messages.push(MessageBody);
      const MD5OfMessageBody = createHash("md5").update(MessageBody).digest("hex");
      response.setHeader("content-type", "application/x-amz-json-1.0");
      response.end(JSON.stringify({ MessageId: String(messages.length), MD5OfMessageBody }));
    };
    void answer();
  });

async function listen(server: Server) {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

const names = ["pk", "sk", "gsi1pk", "gsi1sk", "gsi2pk", "gsi2sk"];
const keys = (hash: string, range: string) => [
  { AttributeName: hash, KeyType: "HASH" },
  { AttributeName: range, KeyType: "RANGE" },
];
const table = {
  TableName: "data",
  BillingMode: "PAY_PER_REQUEST",
  AttributeDefinitions: names.map((name) => ({ AttributeName: name, AttributeType: "S" })),
  KeySchema: keys("pk", "sk"),
  GlobalSecondaryIndexes: ["gsi1", "gsi2"].map((name) => ({
    IndexName: name,
    KeySchema: keys(`${name}pk`, `${name}sk`),
    Projection: { ProjectionType: "ALL" },
  })),
};
const StreamSpecification = { StreamEnabled: true, StreamViewType: "NEW_AND_OLD_IMAGES" };
