import { DynamoDBClient, ScanCommand } from "@aws-sdk/client-dynamodb";
import {
  HeadObjectCommand,
  ListObjectVersionsCommand,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { GetQueueAttributesCommand, SQSClient } from "@aws-sdk/client-sqs";
import { unmarshall } from "@aws-sdk/util-dynamodb";
import type { Cloud } from "@balde/local-cloud";

/** A version of an object, or a delete marker. */
export type Version = { key: string; versionId: string; isLatest: boolean; isMarker: boolean };
export type Row = Record<string, unknown> & { pk: string; sk: string };
export type Stores = ReturnType<typeof openStores>;

/** Reads everything that is stored, as the operator. */
export function openStores({ local }: Pick<Cloud, "local">) {
  const common = { region: local.region, credentials: local.iam };
  const s3 = new S3Client({ ...common, endpoint: local.s3!.endpoint, forcePathStyle: true });
  const dynamodb = new DynamoDBClient({ ...common, endpoint: local.dynamodb!.endpoint });
  const sqs = new SQSClient({
    ...common,
    endpoint: local.sqs!.endpoint,
    useQueueUrlAsEndpoint: false,
  });
  const Bucket = local.s3!.bucket;

  return {
    async versions(): Promise<Version[]> {
      const found: Version[] = [];
      let marker: { KeyMarker?: string; VersionIdMarker?: string } = {};
      for (;;) {
        const page = await s3.send(new ListObjectVersionsCommand({ Bucket, ...marker }));
        const { Versions = [], DeleteMarkers = [] } = page;
        for (const [list, isMarker] of [[Versions, false] as const, [DeleteMarkers, true] as const])
          for (const { Key, VersionId, IsLatest } of list)
            found.push({ key: Key!, versionId: VersionId!, isLatest: IsLatest!, isMarker });
        if (!page.IsTruncated) return found;
        marker = { KeyMarker: page.NextKeyMarker!, VersionIdMarker: page.NextVersionIdMarker! };
      }
    },
    async rows(): Promise<Row[]> {
      const found: Row[] = [];
      let start: Record<string, never> | undefined;
      do {
        const { Items = [], LastEvaluatedKey } = await dynamodb.send(
          new ScanCommand({
            TableName: local.dynamodb!.table,
            ConsistentRead: true,
            ExclusiveStartKey: start,
          }),
        );
        found.push(...Items.map((item) => unmarshall(item) as Row));
        start = LastEvaluatedKey as typeof start;
      } while (start);
      return found;
    },
    /** undefined if the version is gone. */
    async metadata({ key, versionId }: Version): Promise<Record<string, string> | undefined> {
      try {
        const command = new HeadObjectCommand({ Bucket, Key: key, VersionId: versionId });
        return (await s3.send(command)).Metadata ?? {};
      } catch (error) {
        if ((error as Error).name === "NotFound") return undefined;
        throw error;
      }
    },
    async putObject(key: string, body: string, metadata: Record<string, string>): Promise<void> {
      const command = new PutObjectCommand({ Bucket, Key: key, Body: body, Metadata: metadata });
      await s3.send(command);
    },
    /** How many messages the queues have whose names contain the text: visible ones, and others. */
    async messages(name: string): Promise<{ visible: number; hidden: number }> {
      const sum = { visible: 0, hidden: 0 };
      for (const [each, QueueUrl] of Object.entries(local.sqs!.queues)) {
        if (!each.includes(name)) continue;
        const { Attributes = {} } = await sqs.send(
          new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["All"] }),
        );
        sum.visible += Number(Attributes["ApproximateNumberOfMessages"]);
        sum.hidden += Number(Attributes["ApproximateNumberOfMessagesNotVisible"]);
        sum.hidden += Number(Attributes["ApproximateNumberOfMessagesDelayed"]);
      }
      return sum;
    },
  };
}
