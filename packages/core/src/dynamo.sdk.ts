import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient, ScanCommand } from "@aws-sdk/lib-dynamodb";

// dynamo.ts loads this file on its first call that needs it: this import would be half of a cold start.

export { ScanCommand };

let documentClient: DynamoDBDocumentClient | undefined;

/** The one client of this process. */
export const client = () => (documentClient ??= createClient());

function createClient() {
  const plain = new DynamoDBClient({
    // a call takes milliseconds; one that takes longer is tried again within the gateway's 29 seconds
    requestHandler: {
      connectionTimeout: 2_000,
      requestTimeout: 5_000,
      // also ends a response that stops in its middle; then the SDK tries again
      socketTimeout: 5_000,
      throwOnRequestTimeout: true,
    },
  });
  return DynamoDBDocumentClient.from(plain, { marshallOptions: { removeUndefinedValues: true } });
}
