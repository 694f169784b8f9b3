import type { AccessRequest } from "../iam/policy.ts";
import type { Keys, Table } from "./tables.ts";

type Input = Record<string, unknown>;
type Value = Record<string, string>;

export type TableLookup = {
  tables: readonly Table[];
  /** Returns the ARN of a table by its name, also for a table that does not exist. */
  arnOf(tableName: string): string;
};

/**
 * Returns the permissions that a request of the data plane needs, each with the values of its condition keys; undefined
 * for an operation that is not emulated. https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazondynamodb.html
 */
export function requiredPermissions(
  operation: string,
  input: Input,
  lookup: TableLookup,
): AccessRequest[] | undefined {
  return operations[operation]?.(input, lookup, `dynamodb:${operation}`);
}

/** The condition keys of DynamoDB for which `requiredPermissions` has a value, in lower case. */
export const contextKeys = new Set([
  "dynamodb:leadingkeys",
  "dynamodb:select",
  "dynamodb:returnvalues",
  "dynamodb:enclosingoperation",
]);

type PermissionsOf = (input: Input, lookup: TableLookup, action: string) => AccessRequest[];

const ofKey: PermissionsOf = (input, lookup, action) => [
  item(action, input, input["Key"] ?? input["Item"], lookup),
];

const ofTable: PermissionsOf = (input, lookup, action) => [
  { action, resource: lookup.arnOf(tableOf(input)) },
];

const ofQuery: PermissionsOf = (input, lookup, action) => {
  const table = tableOf(input);
  const index = typeof input["IndexName"] === "string" ? input["IndexName"] : undefined;
  const keys = keysOf(lookup, table, index);
  const resource = lookup.arnOf(table) + (index === undefined ? "" : `/index/${index}`);
  const leading = keys && leadingKey(input, keys.hash);
  return [{ action, resource, context: context(input, leading === undefined ? [] : [leading]) }];
};

/** A batch needs its own permission on each table, not the permissions of its items' operations. */
const ofBatch: PermissionsOf = (input, lookup, action) =>
  Object.entries(asObject(input["RequestItems"])).map(([table, wanted]) => {
    const items = Array.isArray(wanted)
      ? wanted.map((write) => write?.PutRequest?.Item ?? write?.DeleteRequest?.Key)
      : (wanted as { Keys?: unknown[] } | null)?.Keys;
    const hash = keysOf(lookup, table)?.hash;
    const leading = (items ?? []).map((key) => text(asObject(key)[hash ?? ""]));
    return {
      action,
      resource: lookup.arnOf(table),
      context: context(
        {},
        leading.filter((key) => key !== undefined),
      ),
    };
  });

/** A transaction needs no permission of its own: each of its parts needs that of the single operation. https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html */
const ofTransaction: PermissionsOf = (input, lookup, action) =>
  [input["TransactItems"] ?? []].flat().flatMap((part) =>
    Object.entries(asObject(part)).map(([kind, raw]) => {
      const one = asObject(raw);
      const ask = item(
        `dynamodb:${transactionActions[kind] ?? kind}`,
        one,
        one["Key"] ?? one["Item"],
        lookup,
      );
      const operation = action.slice("dynamodb:".length);
      return { ...ask, context: { ...ask.context, "dynamodb:EnclosingOperation": operation } };
    }),
  );

const transactionActions: Record<string, string> = {
  Get: "GetItem",
  Put: "PutItem",
  Update: "UpdateItem",
  Delete: "DeleteItem",
  ConditionCheck: "ConditionCheckItem",
};

const operations: Record<string, PermissionsOf> = {
  GetItem: ofKey,
  PutItem: ofKey,
  UpdateItem: ofKey,
  DeleteItem: ofKey,
  Query: ofQuery,
  Scan: ofQuery,
  BatchGetItem: ofBatch,
  BatchWriteItem: ofBatch,
  TransactGetItems: ofTransaction,
  TransactWriteItems: ofTransaction,
  DescribeTable: ofTable,
  DescribeTimeToLive: ofTable,
  ListTables: (_, lookup, action) => [{ action, resource: lookup.arnOf("*") }],
};

function item(action: string, input: Input, key: unknown, lookup: TableLookup): AccessRequest {
  const table = tableOf(input);
  const hash = keysOf(lookup, table)?.hash;
  const leading = text(asObject(key)[hash ?? ""]);
  return {
    action,
    resource: lookup.arnOf(table),
    context: context(input, leading === undefined ? [] : [leading]),
  };
}

function context(input: Input, leading: string[]): NonNullable<AccessRequest["context"]> {
  const named = (key: string) =>
    typeof input[key] === "string" ? { [`dynamodb:${key}`]: input[key] } : {};
  return {
    ...(leading.length > 0 ? { "dynamodb:LeadingKeys": leading } : {}),
    ...named("Select"),
    ...named("ReturnValues"),
  };
}

function keysOf({ tables }: TableLookup, name: string, index?: string): Keys | undefined {
  const table = tables.find((candidate) => candidate.name === name);
  if (index === undefined) return table?.keys;
  return table?.indexes.find((candidate) => candidate.name === index);
}

/** Returns the value to which a query compares the partition key (`#pk = :pk`), wherever it is in the expression. */
function leadingKey(input: Input, hash: string): string | undefined {
  const legacy = asObject(asObject(input["KeyConditions"])[hash])["AttributeValueList"];
  if (Array.isArray(legacy)) return text(legacy[0]);
  const names = asObject(input["ExpressionAttributeNames"]);
  const values = asObject(input["ExpressionAttributeValues"]);
  const expression = input["KeyConditionExpression"];
  if (typeof expression !== "string") return undefined;
  for (const [, name = "", value = ""] of expression.matchAll(/([#\w.-]+)\s*=\s*(:\w+)/g))
    if ((names[name] ?? name) === hash) return text(values[value]);
  return undefined;
}

function text(value: unknown): string | undefined {
  const { S, N, B } = asObject(value) as Value;
  return S ?? N ?? B;
}

const asObject = (value: unknown): Input =>
  value !== null && typeof value === "object" ? (value as Input) : {};

/** Returns an empty name, which no policy allows by name, if there is none; the engine then reports the missing name. */
const tableOf = (input: Input) =>
  typeof input["TableName"] === "string" ? input["TableName"] : "";
