import { marshall, unmarshall } from "@aws-sdk/util-dynamodb";

import * as AwsRequest from "./aws-request.ts";

// Loaded by dynamo.ts on the first call of an item: a request that is refused needs none.

export { AwsError } from "./aws-request.ts";
export { unmarshall };

type Marshalled = ReturnType<typeof marshall>;
type Answer = { Item?: Marshalled; Attributes?: Marshalled };

/** What is undefined is left out. */
export const marshalled = (item: Record<string, unknown> | undefined) =>
  item && marshall(item, { removeUndefinedValues: true });

/** https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.LowLevelAPI.html */
export async function ask(operation: string, input: object): Promise<Answer> {
  const reply = await AwsRequest.send({
    service: "dynamodb",
    method: "POST",
    path: "/",
    headers: {
      "content-type": "application/x-amz-json-1.0",
      "x-amz-target": `DynamoDB_20120810.${operation}`,
    },
    body: JSON.stringify(input),
  });
  return JSON.parse(String(await AwsRequest.bytes(reply.body))) as Answer;
}
