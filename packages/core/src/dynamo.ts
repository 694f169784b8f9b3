import { setTimeout as sleep } from "node:timers/promises";

import type { QueryCommandInput, TransactWriteCommandInput } from "@aws-sdk/lib-dynamodb";

import { Resource } from "sst/resource";

// The verbs of DynamoDB that Balde speaks, all on its one table. A failed condition is an ordinary answer, no exception. Those of one item, which a visitor waits for, do without the SDK.
// In every expression `#word` is the attribute `word`: half the words of this domain are reserved in DynamoDB.

export type Item = Record<string, unknown>;
export type Key = { pk: string; sk: string };
export type Condition = { when?: string; values?: Item };
export type Put = Condition & { item: Key & Item };
export type Update = Condition & { key: Key; set?: Item; remove?: readonly string[]; add?: Item };
export type Query = Condition & {
  index?: "gsi1" | "gsi2";
  newestFirst?: boolean;
  /** How many items one call fetches. */
  pageSize?: number;
  isConsistent?: boolean;
};

/** Sees every write that was acknowledged before. */
export async function get(key: Key): Promise<Item | undefined> {
  const { ask, marshalled, unmarshall } = await one();
  const input = { TableName: table(), Key: marshalled(key), ConsistentRead: true };
  const { Item } = await ask("GetItem", input);
  return Item && unmarshall(Item);
}

/** Up to 100 items, in no order; what is not there is left out. Consistent, it sees every write that was acknowledged before. */
export async function getAll(keys: Key[], isConsistent = false): Promise<Item[]> {
  const { BatchGetCommand, client } = await sdk();
  const found: Item[] = [];
  for (let wanted = keys; wanted.length > 0;) {
    const { Responses, UnprocessedKeys } = await client().send(
      new BatchGetCommand({
        RequestItems: { [table()]: { Keys: wanted, ConsistentRead: isConsistent } },
      }),
    );
    found.push(...(Responses?.[table()] ?? []));
    wanted = (UnprocessedKeys?.[table()]?.Keys ?? []) as Key[];
  }
  return found;
}

/** Items one by one; a page is fetched when somebody asks for its first item. */
export async function* query(input: Query): AsyncGenerator<Item, void> {
  for await (const page of pages(input)) yield* page.Items ?? [];
}

export type Page = { items: Item[]; after: Key | undefined };

/**
 * The whole table, item by item, in no order: for operators, who have time. A page ends after a megabyte that was read,
 * however little of it matches; `after` is where the next one starts.
 */
export async function* scan(input: Condition & { after?: Key }): AsyncGenerator<Page, void> {
  const { ScanCommand, client } = await sdk();
  let { after } = input;
  do {
    const { Items = [], LastEvaluatedKey } = await client().send(
      new ScanCommand({
        TableName: table(),
        FilterExpression: input.when,
        ExpressionAttributeNames: names(input.when),
        ExpressionAttributeValues: placeholders(input.values),
        ExclusiveStartKey: after,
      }),
    );
    after = LastEvaluatedKey as Key | undefined;
    yield { items: Items, after };
  } while (after);
}

/** How many items match, over as many pages as it takes. */
export async function count(input: Query): Promise<number> {
  let total = 0;
  for await (const page of pages(input, { Select: "COUNT" })) total += page.Count ?? 0;
  return total;
}

/** Whether the condition was met. */
export const put = ({ item, ...input }: Put): Promise<boolean> =>
  conditionally(async ({ ask, marshalled }) => {
    const { ExpressionAttributeValues: given, ...rest } = putInput({ item, ...input });
    await ask("PutItem", {
      ...rest,
      Item: marshalled(item),
      ExpressionAttributeValues: marshalled(given),
    });
    return true;
  }, false);

/** The item as it is now; undefined when the condition was not met. */
export const update = ({ key, set = {}, remove = [], add = {}, when, values }: Update) =>
  conditionally(async ({ ask, marshalled, unmarshall }): Promise<Item | undefined> => {
    const given = Object.fromEntries(
      Object.entries(set).filter(([, value]) => value !== undefined),
    );
    const expression = [
      clause(
        "SET",
        Object.keys(given).map((name) => `#${name} = :${name}`),
      ),
      clause(
        "REMOVE",
        remove.map((name) => `#${name}`),
      ),
      clause(
        "ADD",
        Object.keys(add).map((name) => `#${name} :${name}`),
      ),
    ].join(" ");
    const { Attributes = {} } = await ask("UpdateItem", {
      TableName: table(),
      Key: marshalled(key),
      UpdateExpression: expression,
      ConditionExpression: when,
      ExpressionAttributeNames: names(`${expression} ${when}`),
      ExpressionAttributeValues: marshalled(placeholders({ ...given, ...add, ...values })),
      ReturnValues: "ALL_NEW",
    });
    return unmarshall(Attributes);
  }, undefined);

/** Whether the condition was met. */
export const remove = ({ key, ...input }: Condition & { key: Key }): Promise<boolean> =>
  conditionally(async ({ ask, marshalled }) => {
    const { ExpressionAttributeValues: given, ...rest } = condition(input);
    await ask("DeleteItem", {
      TableName: table(),
      Key: marshalled(key),
      ...rest,
      ExpressionAttributeValues: marshalled(given),
    });
    return true;
  }, false);

/** All or nothing. Answers for each put whether its condition was met; nothing was written unless all were. */
export async function putTogether(puts: Put[], attempts = 5): Promise<boolean[]> {
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
    // somebody writes one of the items at this moment; the SDK leaves it to us:
    // https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html#transaction-conflict-handling
    if (!codes.includes("TransactionConflict") || attempts === 1) throw error;
    await sleep(20 + Math.random() * 80);
    return putTogether(puts, attempts - 1);
  }
}

async function* pages(input: Query, more: Partial<QueryCommandInput> = {}) {
  const { QueryCommand, client } = await sdk();
  let start: Item | undefined;
  do {
    const command = new QueryCommand({
      TableName: table(),
      IndexName: input.index,
      KeyConditionExpression: input.when,
      ExpressionAttributeNames: names(input.when),
      ExpressionAttributeValues: placeholders(input.values),
      ScanIndexForward: !input.newestFirst,
      Limit: input.pageSize,
      ConsistentRead: input.isConsistent,
      ExclusiveStartKey: start,
      ...more,
    });
    const page = await client().send(command);
    yield page;
    start = page.LastEvaluatedKey;
  } while (start);
}

async function conditionally<Result>(
  write: (item: One) => Promise<Result>,
  otherwise: Result,
): Promise<Result> {
  const loaded = await one();
  try {
    return await write(loaded);
  } catch (error) {
    if (error instanceof loaded.AwsError && error.code === "ConditionalCheckFailedException")
      return otherwise;
    throw error;
  }
}

const putInput = ({ item, ...input }: Put) => ({
  TableName: table(),
  Item: item,
  ...condition(input),
});

const condition = ({ when, values }: Condition) => ({
  ConditionExpression: when,
  ExpressionAttributeNames: names(when),
  ExpressionAttributeValues: placeholders(values),
});

/** DynamoDB refuses a map that is empty, and one that names what no expression uses. */
function names(expression = "") {
  const words = [...expression.matchAll(/#(\w+)/g)].map(([name, word]) => [name, word!]);
  return words.length > 0 ? (Object.fromEntries(words) as Record<string, string>) : undefined;
}

function placeholders(values: Item = {}) {
  const entries = Object.entries(values).map(([name, value]) => [`:${name}`, value]);
  return entries.length > 0 ? (Object.fromEntries(entries) as Item) : undefined;
}

const clause = (verb: string, terms: string[]) =>
  terms.length > 0 ? `${verb} ${terms.join(", ")}` : "";

type TransactItem = NonNullable<TransactWriteCommandInput["TransactItems"]>[number];
type One = Awaited<ReturnType<typeof one>>;
const one = () => import("./dynamo-http.ts");
const sdk = () => import("./dynamo.sdk.ts");
const table = () => Resource.Data.name;
