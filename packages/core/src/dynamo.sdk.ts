import { ConditionalCheckFailedException, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { TransactionCanceledException } from "@aws-sdk/client-dynamodb";
import {
  BatchGetCommand,
  DeleteCommand,
  DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  ScanCommand,
  TransactWriteCommand,
  UpdateCommand,
} from "@aws-sdk/lib-dynamodb";

// Loaded by dynamo.ts on the first call and not before: half of a cold start would be this import.

export {
  BatchGetCommand,
  ConditionalCheckFailedException,
  DeleteCommand,
  GetCommand,
  PutCommand,
  QueryCommand,
  ScanCommand,
  TransactionCanceledException,
  TransactWriteCommand,
  UpdateCommand,
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
