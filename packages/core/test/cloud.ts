import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout } from "node:timers/promises";

import { S3Client } from "@aws-sdk/client-s3";
import { DeleteMessageCommand, ReceiveMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import * as LocalCloud from "@balde/local-cloud";

/** What the bucket tells about an upload. */
export type Event = {
  Records: [{ s3: { object: { key: string; sequencer: string; versionId: string } } }];
};

/** The stores of Balde's own graph, without its functions: what they would do, a test does. Says where they are by environment variables, as Lambda would. `change` makes another cloud of the whole graph. */
export async function startCloud(change = storesOnly) {
  const root = resolve(import.meta.dirname, "../../..");
  const data = mkdtempSync(join(tmpdir(), "balde-core-"));
  const graph = change(LocalCloud.loadGraph(join(root, "infra/stack.json")));
  const cloud = await LocalCloud.startCloud({
    graph,
    root,
    data,
    port: 0,
    log: LocalCloud.silentLog,
  });
  const { iam, region, s3, dynamodb, sqs } = cloud.local;
  const queueUrl = graph.resources.find(({ name }) => name === "IngestQueue")!.id;
  Object.assign(process.env, {
    AWS_REGION: region,
    AWS_ACCESS_KEY_ID: iam.accessKeyId,
    AWS_SECRET_ACCESS_KEY: iam.secretAccessKey,
    AWS_ENDPOINT_URL_DYNAMODB: dynamodb!.endpoint,
    AWS_ENDPOINT_URL_S3: s3!.endpoint,
    AWS_ENDPOINT_URL_SQS: sqs!.endpoint,
    SST_RESOURCE_App: JSON.stringify({ name: "balde", stage: "test" }),
    SST_RESOURCE_Data: JSON.stringify({ name: dynamodb!.table }),
    SST_RESOURCE_Images: JSON.stringify({ name: s3!.bucket }),
    SST_RESOURCE_Ingest: JSON.stringify({ url: queueUrl }),
    SST_RESOURCE_Presets: JSON.stringify({ queries: { tile: "w=90&h=60&fit=cover&f=webp" } }),
    SST_RESOURCE_DeliveryKeys: JSON.stringify({
      newest: "k2",
      secrets: { k1: "an old secret of tests", k2: "a secret of tests" },
    }),
    SST_RESOURCE_Keys: JSON.stringify({ cursor: "a secret of tests" }),
  });
  const messages = inbox(queueUrl);
  return {
    api: cloud.local.api,
    data,
    bucket: s3!.bucket,
    s3: new S3Client({ forcePathStyle: true }),
    /** Everything that the ingest queue was sent so far. */
    messages,
    /** What the bucket told of the upload of an image, last. */
    async eventOf(id: string) {
      const events = (await messages()).filter((body): body is Event =>
        JSON.stringify(body).includes(`uploads/${id}`),
      );
      return events.at(-1)!;
    },
    /** What the table is asked meanwhile, as a trace shows it: in Lambda each call names the trace of its function. */
    async callsOfTable(work: () => Promise<unknown>) {
      const id = `1-${hex(4)}-${hex(12)}`;
      process.env.AWS_LAMBDA_FUNCTION_NAME = "test";
      process.env._X_AMZN_TRACE_ID = `Root=${id};Parent=${hex(8)};Sampled=1`;
      try {
        await work();
      } finally {
        delete process.env.AWS_LAMBDA_FUNCTION_NAME;
        delete process.env._X_AMZN_TRACE_ID;
      }
      // written a tenth of a second behind
      await setTimeout(300);
      const text = LocalCloud.showTrace({ data, graph, id }) ?? "";
      return [...text.matchAll(/ DynamoDB (\w+)/g)].map(([, operation]) => operation!);
    },
    async stop() {
      await cloud.stop();
      rmSync(data, { recursive: true });
    },
  };
}

function storesOnly(graph: LocalCloud.ResourceGraph): LocalCloud.ResourceGraph {
  const resources = graph.resources.filter(({ type }) => /^aws:(s3|dynamodb|sqs)\//.test(type));
  return { ...graph, resources, functions: {} };
}

const hex = (bytes: number) => randomBytes(bytes).toString("hex");

function inbox(QueueUrl: string) {
  const sqs = new SQSClient({ useQueueUrlAsEndpoint: false });
  const bodies: unknown[] = [];
  return async () => {
    for (;;) {
      const ask = new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 });
      const { Messages = [] } = await sqs.send(ask);
      if (Messages.length === 0) return bodies;
      for (const { Body, ReceiptHandle } of Messages) {
        bodies.push(JSON.parse(Body!));
        await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
      }
    }
  };
}
