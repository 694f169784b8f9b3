import { setTimeout as sleep } from "node:timers/promises";

import type { TransactWriteCommandInput } from "@aws-sdk/lib-dynamodb";

import { Resource } from "sst/resource";

// The calls of DynamoDB that Balde makes, all on its one table. A failed condition is a normal result, not an exception.
// Calls that a visitor waits for do without the SDK (docs/adr/0019-calls-without-the-sdk.md).
// In every expression `#word` is the attribute `word`: half of the words that Balde uses are reserved in DynamoDB.

export type Item = Record<string, unknown>;
export type Key = { pk: string; sk: string };
/** `values` are the values of the expression: `:name` in it is `values.name`. */
export type Condition = { condition?: string; values?: Item };
export type Put = Condition & { item: Key & Item };
export type Update = Condition & { key: Key; set?: Item; remove?: readonly string[]; add?: Item };
export type Query = {
  keyCondition: string;
  values: Item;
  index?: "gsi1" | "gsi2";
  newestFirst?: boolean;
  /** How many items one request fetches. */
  pageSize?: number;
  isConsistent?: boolean;
};

const MAX_BATCH_GET_KEYS = 100;
const MAX_TRANSACTION_ATTEMPTS = 5;

/** The item with this key, or undefined. A strongly consistent read: it sees every write that was acknowledged before. */
export async function get(key: Key): Promise<Item | undefined> {
  const { send, marshallItem, unmarshall } = await http();
  const input = { TableName: table(), Key: marshallItem(key), ConsistentRead: true };
  const { Item } = await send("GetItem", input);
  return Item && unmarshall(Item);
}

/**
 * The items with these keys, in no order and without those that do not exist; at most 100 keys, each once.
 * With `isConsistent` it sees every write that was acknowledged before.
 */
export async function getMany(keys: Key[], isConsistent = false): Promise<Item[]> {
  if (keys.length > MAX_BATCH_GET_KEYS)
    throw new Error(`BUG: ${keys.length} keys in one read; DynamoDB takes ${MAX_BATCH_GET_KEYS}`);
  const { send, marshallItem, unmarshall } = await http();
  const found: Item[] = [];
  let wanted = keys.map((key) => marshallItem(key)!);
  while (wanted.length > 0) {
    const { Responses, UnprocessedKeys } = await send("BatchGetItem", {
      RequestItems: { [table()]: { Keys: wanted, ConsistentRead: isConsistent } },
    });
    found.push(...(Responses?.[table()] ?? []).map((item) => unmarshall(item)));
    // more than 16 MB, or throttled: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html
    wanted = UnprocessedKeys?.[table()]?.Keys ?? [];
  }
  return found;
}

/** The items that match, one by one. A page is fetched when its first item is asked for. */
export async function* query(input: Query): AsyncGenerator<Item, void> {
  for await (const page of queryPages(input)) yield* page.items;
}

/** All items that match, in one array. */
export async function queryAll(input: Query): Promise<Item[]> {
  const items: Item[] = [];
  for await (const item of query(input)) items.push(item);
  return items;
}

/** The items of one request, and the sort key that it reached; null if there are no more. It reads at most one megabyte. */
export async function queryPage(
  input: Query & { pageSize: number },
): Promise<{ items: Item[]; reached: string | null }> {
  for await (const { items, lastKey } of queryPages(input))
    return {
      items,
      reached: lastKey ? String(lastKey[input.index ? `${input.index}sk` : "sk"]) : null,
    };
  throw new Error("BUG: a query has at least one page");
}

export type ScanPage = { items: Item[]; nextKey: Key | undefined };

/**
 * The whole table in pages, in no order: only for operators' calls. A page ends after one megabyte was read, however few
 * items match; `nextKey` is where the next page starts, undefined after the last.
 */
export async function* scan(input: {
  filter: string;
  values: Item;
  startKey?: Key | undefined;
}): AsyncGenerator<ScanPage, void> {
  const { ScanCommand, client } = await sdk();
  let { startKey } = input;
  do {
    const { Items = [], LastEvaluatedKey } = await client().send(
      new ScanCommand({
        TableName: table(),
        FilterExpression: input.filter,
        ExpressionAttributeNames: attributeNames(input.filter),
        ExpressionAttributeValues: placeholders(input.values),
        ExclusiveStartKey: startKey,
      }),
    );
    startKey = LastEvaluatedKey as Key | undefined;
    yield { items: Items, nextKey: startKey };
  } while (startKey);
}

/** How many items match. It reads all of them: one request for each megabyte. */
export async function count(input: Query): Promise<number> {
  let total = 0;
  for await (const page of queryPages(input, { Select: "COUNT" })) total += page.count;
  return total;
}

/** True if the item was written; false if the condition was not met. */
export const put = ({ item, ...input }: Put): Promise<boolean> =>
  writeIfConditionMet(async ({ send, marshallItem }) => {
    const { ExpressionAttributeValues: values, ...rest } = putInput({ item, ...input });
    await send("PutItem", {
      ...rest,
      Item: marshallItem(item),
      ExpressionAttributeValues: marshallItem(values),
    });
    return true;
  }, false);

/**
 * The item after the change; undefined if the condition was not met. Values of `set` that are undefined are left as they
 * are. `remove` lists attributes, `add` adds to numbers and sets.
 */
export const update = ({ key, set = {}, remove = [], add = {}, condition, values }: Update) =>
  writeIfConditionMet(async ({ send, marshallItem, unmarshall }): Promise<Item | undefined> => {
    const defined = Object.fromEntries(
      Object.entries(set).filter(([, value]) => value !== undefined),
    );
    const setTerms = Object.keys(defined).map((name) => `#${name} = :${name}`);
    const removeTerms = remove.map((name) => `#${name}`);
    const addTerms = Object.keys(add).map((name) => `#${name} :${name}`);
    const expression = [
      clause("SET", setTerms),
      clause("REMOVE", removeTerms),
      clause("ADD", addTerms),
    ].join(" ");
    const { Attributes = {} } = await send("UpdateItem", {
      TableName: table(),
      Key: marshallItem(key),
      UpdateExpression: expression,
      ConditionExpression: condition,
      ExpressionAttributeNames: attributeNames(`${expression} ${condition}`),
      ExpressionAttributeValues: marshallItem(placeholders({ ...defined, ...add, ...values })),
      ReturnValues: "ALL_NEW",
    });
    return unmarshall(Attributes);
  }, undefined);

/** True if the condition was met. Without a condition an item that does not exist is removed, too. */
export const remove = ({ key, ...input }: Condition & { key: Key }): Promise<boolean> =>
  writeIfConditionMet(async ({ send, marshallItem }) => {
    const { ExpressionAttributeValues: values, ...rest } = conditionInput(input);
    await send("DeleteItem", {
      TableName: table(),
      Key: marshallItem(key),
      ...rest,
      ExpressionAttributeValues: marshallItem(values),
    });
    return true;
  }, false);

/** Writes all items in one transaction, or none. For each put: true if its condition was met. All are true if they were written. */
export async function putInTransaction(
  puts: Put[],
  attempts = MAX_TRANSACTION_ATTEMPTS,
): Promise<boolean[]> {
  const { TransactWriteCommand, TransactionCanceledException, client } = await sdk();
  const TransactItems = puts.map((put): TransactItem => ({ Put: putInput(put) }));
  try {
    await client().send(new TransactWriteCommand({ TransactItems }));
    return puts.map(() => true);
  } catch (error) {
    if (!(error instanceof TransactionCanceledException)) throw error;
    const codes = (error.CancellationReasons ?? []).map(({ Code }) => Code);
    if (codes.includes("ConditionalCheckFailed"))
      return codes.map((code) => code !== "ConditionalCheckFailed");
    // another request writes one of the items at this moment; the SDK does not repeat this error by itself:
    // https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html#transaction-conflict-handling
    if (!codes.includes("TransactionConflict") || attempts === 1) throw error;
    await sleep(20 + Math.random() * 80);
    return putInTransaction(puts, attempts - 1);
  }
}

async function* queryPages(input: Query, more: { Select?: "COUNT" } = {}) {
  const { send, marshallItem, unmarshall } = await http();
  let startKey: Awaited<ReturnType<typeof send>>["LastEvaluatedKey"];
  do {
    const page = await send("Query", {
      TableName: table(),
      IndexName: input.index,
      KeyConditionExpression: input.keyCondition,
      ExpressionAttributeNames: attributeNames(input.keyCondition),
      ExpressionAttributeValues: marshallItem(placeholders(input.values)),
      ScanIndexForward: !input.newestFirst,
      Limit: input.pageSize,
      ConsistentRead: input.isConsistent,
      ExclusiveStartKey: startKey,
      ...more,
    });
    startKey = page.LastEvaluatedKey;
    yield {
      items: (page.Items ?? []).map((item) => unmarshall(item)),
      count: page.Count ?? 0,
      lastKey: startKey && unmarshall(startKey),
    };
  } while (startKey);
}

/** The result of `write`, or `otherwise` if its condition was not met. */
async function writeIfConditionMet<Result>(
  write: (dynamoHttp: DynamoHttp) => Promise<Result>,
  otherwise: Result,
): Promise<Result> {
  const dynamoHttp = await http();
  try {
    return await write(dynamoHttp);
  } catch (error) {
    if (error instanceof dynamoHttp.AwsError && error.code === "ConditionalCheckFailedException")
      return otherwise;
    throw error;
  }
}

const putInput = ({ item, ...input }: Put) => ({
  TableName: table(),
  Item: item,
  ...conditionInput(input),
});

const conditionInput = ({ condition, values }: Condition) => ({
  ConditionExpression: condition,
  ExpressionAttributeNames: attributeNames(condition),
  ExpressionAttributeValues: placeholders(values),
});

/** DynamoDB refuses an empty map, and a name that no expression uses. */
function attributeNames(expression = "") {
  const words = [...expression.matchAll(/#(\w+)/g)].map(([name, word]) => [name, word!]);
  return words.length > 0 ? (Object.fromEntries(words) as Record<string, string>) : undefined;
}

function placeholders(values: Item = {}) {
  const entries = Object.entries(values).map(([name, value]) => [`:${name}`, value]);
  return entries.length > 0 ? (Object.fromEntries(entries) as Item) : undefined;
}

const clause = (keyword: string, terms: string[]) =>
  terms.length > 0 ? `${keyword} ${terms.join(", ")}` : "";

type TransactItem = NonNullable<TransactWriteCommandInput["TransactItems"]>[number];
type DynamoHttp = Awaited<ReturnType<typeof http>>;
const http = () => import("./dynamo-http.ts");
const sdk = () => import("./dynamo.sdk.ts");
const table = () => Resource.Data.name;
