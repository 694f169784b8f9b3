import { Agent, request } from "node:http";
import { text } from "node:stream/consumers";

import { signRequest } from "../../iam/sign-request.ts";
import type { Credentials } from "../../iam/verify-signature.ts";

/** A record of a DynamoDB stream as the HTTP API returns it: a function gets the same JSON. */
export type StreamRecord = {
  eventID: string;
  eventName: "INSERT" | "MODIFY" | "REMOVE";
  dynamodb: {
    /** Seconds since the epoch. */
    ApproximateCreationDateTime: number;
    SequenceNumber: string;
    NewImage?: unknown;
    OldImage?: unknown;
  };
};

export type Shard = { ShardId: string; ParentShardId?: string };

type Options = {
  endpoint: string;
  streamArn: string;
  region: string;
  credentials: Credentials;
};

export type StreamReader = ReturnType<typeof createStreamReader>;

/** Reads a stream with the permissions of the function's role. Without the SDK, which would convert the records: Lambda passes them on as they are. */
export function createStreamReader({ endpoint, streamArn, region, credentials }: Options) {
  const agent = new Agent({ keepAlive: true });
  const url = new URL(endpoint);

  async function call(operation: string, input: object) {
    const body = JSON.stringify(input);
    const headers = {
      host: url.host,
      "content-type": "application/x-amz-json-1.0",
      "x-amz-target": `DynamoDBStreams_20120810.${operation}`,
    };
    const asked = { method: "POST", url: "/", headers, body };
    const signed = signRequest(asked, credentials, "dynamodb", region, Date.now());
    const { status, answer } = await send({ ...headers, ...signed }, body);
    const parsed = JSON.parse(answer || "{}");
    if (status === 200) return parsed;
    const name = String(parsed.__type ?? status)
      .split("#")
      .at(-1)!;
    throw Object.assign(new Error(`${operation}: ${name}: ${parsed.message ?? parsed.Message}`), {
      name,
    });
  }

  function send(headers: Record<string, string>, body: string) {
    return new Promise<{ status: number; answer: string }>((resolve, reject) => {
      const { hostname, port } = url;
      const sent = request(
        { agent, hostname, port, method: "POST", path: "/", headers },
        (response) => {
          text(response).then(
            (answer) => resolve({ status: response.statusCode!, answer }),
            reject,
          );
        },
      );
      sent.on("error", reject).end(body);
    });
  }

  return {
    /** Returns the shards of the stream, parents before children. */
    async shards(): Promise<Shard[]> {
      const { StreamDescription } = await call("DescribeStream", { StreamArn: streamArn });
      return StreamDescription.Shards;
    },
    /** Returns an iterator behind the sequence number `after`, or at the oldest record without it. */
    async iterator(shardId: string, after: string | undefined): Promise<string> {
      const position = after
        ? { ShardIteratorType: "AFTER_SEQUENCE_NUMBER", SequenceNumber: after }
        : { ShardIteratorType: "TRIM_HORIZON" };
      const input = { StreamArn: streamArn, ShardId: shardId, ...position };
      return (await call("GetShardIterator", input)).ShardIterator;
    },
    /** `next` is undefined at the end of a closed shard. */
    async records(
      iterator: string,
      limit: number,
    ): Promise<{ records: StreamRecord[]; next: string | undefined }> {
      const answer = await call("GetRecords", { ShardIterator: iterator, Limit: limit });
      return { records: answer.Records, next: answer.NextShardIterator };
    },
    close: () => agent.destroy(),
  };
}
