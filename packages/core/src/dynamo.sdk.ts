import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { TransactionCanceledException } from "@aws-sdk/client-dynamodb";
import {
  BatchGetCommand,
  DynamoDBDocumentClient,
  QueryCommand,
  ScanCommand,
  TransactWriteCommand,
} from "@aws-sdk/lib-dynamodb";

// Loaded by dynamo.ts on the first call and not before: half of a cold start would be this import.

export {
  BatchGetCommand,
  QueryCommand,
  ScanCommand,
  TransactionCanceledException,
  TransactWriteCommand,
};

let connected: DynamoDBDocumentClient | undefined;

export const client = () => (connected ??= connect());

function connect() {
  const plain = new DynamoDBClient({
    // a call takes milliseconds; what takes longer is tried again within the gateway's 29 seconds
    requestHandler: {
      connectionTimeout: 2_000,
      requestTimeout: 5_000,
      throwOnRequestTimeout: true,
    },
  });
  return DynamoDBDocumentClient.from(plain, { marshallOptions: { removeUndefinedValues: true } });
}
