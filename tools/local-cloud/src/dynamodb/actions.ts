import type { AccessRequest } from "../iam/policy.ts";
import type { Keys, Table } from "./tables.ts";

type Input = Record<string, unknown>;
type Value = Record<string, string>;

export type Asking = {
  tables: readonly Table[];
  /** ARN of a table by its name, also of one that does not exist. */
  arnOf(tableName: string): string;
};

/**
 * The rights that a request of the data plane needs, each with what conditions may look at; undefined for an operation
 * that is not emulated. https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazondynamodb.html
 */
export function asks(operation: string, input: Input, asking: Asking): AccessRequest[] | undefined {
  return operations[operation]?.(input, asking, `dynamodb:${operation}`);
}

/** The condition keys of DynamoDB that `asks` fills in, in lower case. */
export const contextKeys = new Set([
  "dynamodb:leadingkeys",
  "dynamodb:select",
  "dynamodb:returnvalues",
  "dynamodb:enclosingoperation",
]);

type Asker = (input: Input, asking: Asking, action: string) => AccessRequest[];

const ofKey: Asker = (input, asking, action) => [
  item(action, input, input["Key"] ?? input["Item"], asking),
];

const ofTable: Asker = (input, asking, action) => [
  { action, resource: asking.arnOf(tableOf(input)) },
];

const ofQuery: Asker = (input, asking, action) => {
  const table = tableOf(input);
  const index = typeof input["IndexName"] === "string" ? input["IndexName"] : undefined;
  const keys = keysOf(asking, table, index);
  const resource = asking.arnOf(table) + (index === undefined ? "" : `/index/${index}`);
  const leading = keys && leadingKey(input, keys.hash);
  return [{ action, resource, context: context(input, leading === undefined ? [] : [leading]) }];
};

/** One right per table: a batch is not asked for the rights of its items. */
const ofBatch: Asker = (input, asking, action) =>
  Object.entries(asObject(input["RequestItems"])).map(([table, wanted]) => {
    const items = Array.isArray(wanted)
      ? wanted.map((write) => write?.PutRequest?.Item ?? write?.DeleteRequest?.Key)
      : (wanted as { Keys?: unknown[] } | null)?.Keys;
    const hash = keysOf(asking, table)?.hash;
    const leading = (items ?? []).map((key) => text(asObject(key)[hash ?? ""]));
    return {
      action,
      resource: asking.arnOf(table),
      context: context(
        {},
        leading.filter((key) => key !== undefined),
      ),
    };
  });

/** A transaction has no right of its own: each of its parts needs that of the plain operation. https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html */
const ofTransaction: Asker = (input, asking, action) =>
  [input["TransactItems"] ?? []].flat().flatMap((part) =>
    Object.entries(asObject(part)).map(([kind, raw]) => {
      const one = asObject(raw);
      const ask = item(
        `dynamodb:${transactionActions[kind] ?? kind}`,
        one,
        one["Key"] ?? one["Item"],
        asking,
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

const operations: Record<string, Asker> = {
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
  ListTables: (_, asking, action) => [{ action, resource: asking.arnOf("*") }],
};

function item(action: string, input: Input, key: unknown, asking: Asking): AccessRequest {
  const table = tableOf(input);
  const hash = keysOf(asking, table)?.hash;
  const leading = text(asObject(key)[hash ?? ""]);
  return {
    action,
    resource: asking.arnOf(table),
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

function keysOf({ tables }: Asking, name: string, index?: string): Keys | undefined {
  const table = tables.find((candidate) => candidate.name === name);
  if (index === undefined) return table?.keys;
  return table?.indexes.find((candidate) => candidate.name === index);
}

/** The value that a query demands of the partition key: `#pk = :pk`, in whatever order with the rest. */
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

/** Something that no policy names when there is no name: the engine then says what is wrong with the request. */
const tableOf = (input: Input) =>
  typeof input["TableName"] === "string" ? input["TableName"] : "";
