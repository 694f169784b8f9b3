import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import { marshall, unmarshall } from "@aws-sdk/util-dynamodb";

import * as AwsRequest from "./aws-request.ts";

// dynamo.ts loads this file on its first call of a get, a query or a write: a request that is refused before does not need it.

export { AwsError } from "./aws-request.ts";
export { unmarshall };

type MarshalledItem = Record<string, AttributeValue>;
type Output = {
  Item?: MarshalledItem;
  Items?: MarshalledItem[];
  Attributes?: MarshalledItem;
  Count?: number;
  LastEvaluatedKey?: MarshalledItem;
  Responses?: Record<string, MarshalledItem[]>;
  UnprocessedKeys?: Record<string, { Keys: MarshalledItem[] }>;
};

/** The item in DynamoDB's JSON, without the attributes that are undefined. */
export const marshallItem = (item: Record<string, unknown> | undefined) =>
  item && marshall(item, { removeUndefinedValues: true });

/**
 * What DynamoDB answers to `operation`, in DynamoDB's JSON. Rejects with an `AwsError` or a network error.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.LowLevelAPI.html
 */
export async function send(operation: string, input: object): Promise<Output> {
  const call = {
    service: "dynamodb",
    method: "POST",
    path: "/",
    headers: {
      "content-type": "application/x-amz-json-1.0",
      "x-amz-target": `DynamoDB_20120810.${operation}`,
    },
    body: JSON.stringify(input),
  } as const;
  // a write, too, may be carried out twice: dynamo.ts recognises it
  return JSON.parse(String(await AwsRequest.sendAndRead(call))) as Output;
}

/** Why each part of a transaction was refused (`None` if it was not), and the item that did not meet its condition. */
export function parseCancellation({ body }: AwsRequest.AwsError) {
  const { CancellationReasons = [] } = JSON.parse(body) as { CancellationReasons?: Reason[] };
  return CancellationReasons.map(({ Code = "None", Item }) => ({
    code: Code,
    item: Item && unmarshall(Item),
  }));
}

/** The stored item that did not meet the condition of a write that asked for it; undefined if there is none. */
export function parseStoredItem({ body }: AwsRequest.AwsError) {
  const { Item } = JSON.parse(body) as { Item?: MarshalledItem };
  return Item && unmarshall(Item);
}

type Reason = { Code?: string; Item?: MarshalledItem };
