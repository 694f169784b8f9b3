import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { mkdtempSync, rmSync } from "node:fs";
import type { ClientRequest } from "node:http";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

import { S3Client } from "@aws-sdk/client-s3";
import { DeleteMessageCommand, ReceiveMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import * as LocalCloud from "@balde/local-cloud";
import { Resource } from "sst/resource";
import { onTestFinished } from "vitest";

/** The bucket's event for an upload. */
export type Event = {
  Records: [{ s3: { object: { key: string; sequencer: string; versionId: string } } }];
};

/** No test reaches these limits unless it sets others. */
const limits = {
  images: 1_000,
  bytes: 1_000_000_000,
  openUploads: 500,
  reservedNames: 500,
  signedUrlsPerDay: 1_000,
  ingestSlots: 100,
};

/** Other limits for one test. */
export function setLimits(changes: Partial<typeof limits>) {
  Object.assign(Resource.Limits, changes);
  onTestFinished(() => void Object.assign(Resource.Limits, limits));
}

/**
 * A local cloud with the stores of Balde's own graph, without its functions: a test does what they would do. Sets the
 * environment variables that Lambda would set. `change` may choose other resources of the graph.
 */
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
  const queueUrl = (name: string) => graph.resources.find((resource) => resource.name === name)!.id;
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
    SST_RESOURCE_Ingest: JSON.stringify({ url: queueUrl("IngestQueue") }),
    SST_RESOURCE_Sync: JSON.stringify({ url: queueUrl("SyncQueue") }),
    SST_RESOURCE_OutboxDead: JSON.stringify({ url: queueUrl("OutboxDeadQueue") }),
    SST_RESOURCE_IngestDead: JSON.stringify({ url: queueUrl("IngestDeadQueue") }),
    SST_RESOURCE_CountDead: JSON.stringify({ url: queueUrl("CountDeadQueue") }),
    SST_RESOURCE_Presets: JSON.stringify({ queries: { tile: "w=90&h=60&fit=cover&f=webp" } }),
    SST_RESOURCE_DeliveryKeys: JSON.stringify({
      newest: "k2",
      secrets: { k1: "an old secret of tests", k2: "a secret of tests" },
    }),
    SST_RESOURCE_Limits: JSON.stringify(limits),
    SST_RESOURCE_Keys: JSON.stringify({ cursor: "a secret of tests" }),
  });
  const messages = collectMessages(queueUrl("IngestQueue"));
  return {
    api: cloud.local.api,
    data,
    bucket: s3!.bucket,
    s3: new S3Client({ forcePathStyle: true }),
    /** All messages that the ingest queue has got so far. */
    messages,
    /** The bucket's last event for the upload of an image. */
    async eventOf(id: string) {
      const events = (await messages()).filter((body): body is Event =>
        JSON.stringify(body).includes(`uploads/${id}`),
      );
      return events.at(-1)!;
    },
    /** The operations of all requests that this process sends to the table while `work` runs, in order, retries included. */
    async tableRequests(work: () => Promise<unknown>): Promise<string[]> {
      const operations: string[] = [];
      const { host } = new URL(dynamodb!.endpoint);
      const onRequest = (message: unknown) => {
        const { request } = message as { request: ClientRequest };
        if (request.getHeader("host") !== host) return;
        operations.push(String(request.getHeader("x-amz-target")).replace(/^.*\./, ""));
      };
      subscribe("http.client.request.start", onRequest);
      try {
        await work();
      } finally {
        unsubscribe("http.client.request.start", onRequest);
      }
      return operations;
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

/** Takes the messages out of a queue, and returns all that were ever taken. */
function collectMessages(QueueUrl: string) {
  const sqs = new SQSClient({ useQueueUrlAsEndpoint: false });
  const bodies: unknown[] = [];
  return async () => {
    for (;;) {
      const receive = new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 });
      const { Messages = [] } = await sqs.send(receive);
      if (Messages.length === 0) return bodies;
      for (const { Body, ReceiptHandle } of Messages) {
        bodies.push(JSON.parse(Body!));
        await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
      }
    }
  };
}
