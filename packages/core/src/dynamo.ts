import { randomBytes, randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";

import { Resource } from "sst/resource";

import * as Unavailable from "./unavailable.ts";

// The calls of DynamoDB that Balde makes, all on its one table. A failed condition is a normal result, not an exception.
// Calls that a visitor waits for do without the SDK (docs/adr/0019-calls-without-the-sdk.md).
// In every expression `#word` is the attribute `word`: half of the words that Balde uses are reserved in DynamoDB.

export type Item = Record<string, unknown>;
export type Key = { pk: string; sk: string };
/** `values` are the values of the expression: `:name` in it is `values.name`. */
export type Condition = { condition?: string; values?: Item };
export type Put = Condition & { item: Key & Item };
/**
 * Values of `set` that are undefined are left as they are. `remove` lists attributes, `add` adds to numbers and sets;
 * to numbers only under a condition, because a request without one may be made twice.
 * `map.key` is an entry of a map; the map must exist, and key has letters, digits and underscores only.
 */
export type Update = Condition & { key: Key; set?: Item; remove?: readonly string[]; add?: Item };
export type Remove = Condition & { key: Key };
/** One part of a transaction. `check` writes nothing: its condition must be met for the others. */
export type Write = { put: Put } | { update: Update } | { remove: Remove } | { check: Remove };
/** Whether the condition of one part of a transaction was met; if not, `item` is the stored item, undefined if there is none. */
export type WriteResult = { isMet: true } | { isMet: false; item: Item | undefined };
export type Query = {
  keyCondition: string;
  values: Item;
  index?: "gsi1" | "gsi2";
  newestFirst?: boolean;
  /** How many items one request fetches. */
  pageSize?: number;
  isConsistent?: boolean;
};

/** The limit of DynamoDB for one read of many keys. */
export const MAX_BATCH_GET_KEYS = 100;
/** DynamoDB leaves out keys when it is throttled, or after 16 MB, which a hundred of our rows never have. */
const MAX_BATCH_GET_ATTEMPTS = 3;
/** With the pauses below five seconds: a queue of a few hundred requests that change one item. */
const MAX_TRANSACTION_ATTEMPTS = 12;
const MAX_CONFLICT_PAUSE_MS = 800;

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
  for (let attempt = 1; wanted.length > 0; attempt++) {
    if (attempt > MAX_BATCH_GET_ATTEMPTS)
      throw Unavailable.create(new Error(`DynamoDB did not read ${wanted.length} keys`));
    if (attempt > 1) await sleep(Math.random() * 25 * 2 ** attempt);
    const { Responses, UnprocessedKeys } = await send("BatchGetItem", {
      RequestItems: { [table()]: { Keys: wanted, ConsistentRead: isConsistent } },
    });
    found.push(...(Responses?.[table()] ?? []).map((item) => unmarshall(item)));
    // https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html
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

// A request that got no answer is repeated, and its condition is not met any more if it was made the first time. So each
// conditional write leaves its `writeId` in the item: a write that finds its own there was made. It stays undetected only if
// another write follows before the repetition.

/** True if the item was written; false if the condition was not met. */
export async function put(input: Put): Promise<boolean> {
  const { send, marshallItem } = await http();
  const own = ownWrite(input);
  const request = marshallWrite(
    putInput({ ...input, item: { ...input.item, ...own } }),
    marshallItem,
  );
  const refusal = await refusalOf(send("PutItem", { ...request, ...returnStored }));
  return !refusal || isOwn(refusal.stored, own);
}

/** The item after the change; undefined if the condition was not met. */
export async function update(input: Update): Promise<Item | undefined> {
  const { send, marshallItem, unmarshall } = await http();
  const own = ownWrite(input);
  const request = marshallWrite(
    updateInput({ ...input, set: { ...input.set, ...own } }),
    marshallItem,
  );
  let changed: Item | undefined;
  const refusal = await refusalOf(
    send("UpdateItem", { ...request, ReturnValues: "ALL_NEW", ...returnStored }).then(
      ({ Attributes = {} }) => (changed = unmarshall(Attributes)),
    ),
  );
  return refusal && isOwn(refusal.stored, own) ? refusal.stored : changed;
}

/**
 * True if the condition was met. Without a condition an item that does not exist is removed, too. After a lost answer an
 * item that does not exist counts as removed by this call.
 */
export async function remove(input: Remove): Promise<boolean> {
  const { send, marshallItem } = await http();
  const request = marshallWrite(keyInput(input), marshallItem);
  const refusal = await refusalOf(send("DeleteItem", { ...request, ...returnStored }));
  return !refusal || (refusal.isAfterLostAnswer && !refusal.stored);
}

/**
 * Makes all writes in one request, or none: all are made if each condition is met. The result has an entry for each write.
 * Two writes of one transaction cannot have the same key. A repeated request, as after a lost response, is made once.
 */
export async function transact(writes: Write[]): Promise<WriteResult[]> {
  const { AwsError, marshallItem, parseCancellation, send } = await http();
  const TransactItems = writes.map((write) => transactItem(write, marshallItem));
  for (let attempt = 1; ; attempt++) {
    try {
      // DynamoDB knows a request that is repeated by its token, for ten minutes
      await send("TransactWriteItems", { TransactItems, ClientRequestToken: randomUUID() });
      return writes.map(() => ({ isMet: true }));
    } catch (error) {
      if (!(error instanceof AwsError) || error.code !== "TransactionCanceledException")
        throw error;
      const reasons = parseCancellation(error);
      if (reasons.some(({ code }) => code === "ConditionalCheckFailed"))
        return reasons.map(({ code, item }) =>
          code === "ConditionalCheckFailed" ? { isMet: false, item } : { isMet: true },
        );
      // another request writes one of the items at this moment:
      // https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html#transaction-conflict-handling
      const isTemporary = reasons.some(({ code }) => /Conflict|Throttl|Throughput/.test(code));
      if (!isTemporary || attempt === MAX_TRANSACTION_ATTEMPTS) throw error;
    }
    await sleep(Math.random() * Math.min(MAX_CONFLICT_PAUSE_MS, 25 * 2 ** attempt));
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

const WRITE_ID_BYTES = 9;

const ownWrite = ({ condition }: Condition): { writeId?: string } =>
  condition ? { writeId: randomBytes(WRITE_ID_BYTES).toString("base64url") } : {};

const isOwn = (stored: Item | undefined, { writeId }: { writeId?: string }) =>
  writeId !== undefined && stored?.["writeId"] === writeId;

const returnStored = { ReturnValuesOnConditionCheckFailure: "ALL_OLD" };

/** Undefined if the write was made. If its condition was not met: the stored item, undefined if there is none. */
async function refusalOf(
  write: Promise<unknown>,
): Promise<{ stored: Item | undefined; isAfterLostAnswer: boolean } | undefined> {
  const { AwsError, parseStoredItem } = await http();
  try {
    await write;
    return undefined;
  } catch (error) {
    if (error instanceof AwsError && error.code === "ConditionalCheckFailedException")
      return { stored: parseStoredItem(error), isAfterLostAnswer: error.isAfterLostAnswer };
    throw error;
  }
}

const putInput = ({ item, ...input }: Put) => ({
  TableName: table(),
  Item: item,
  ...conditionInput(input),
});

const keyInput = ({ key, ...input }: Remove) => ({
  TableName: table(),
  Key: key,
  ...conditionInput(input),
});

function updateInput({ key, set = {}, remove = [], add = {}, condition, values }: Update) {
  const defined = Object.fromEntries(
    Object.entries(set).filter(([, value]) => value !== undefined),
  );
  const setTerms = Object.keys(defined).map((name) => `${path(name)} = ${placeholder(name)}`);
  const removeTerms = remove.map(path);
  const addTerms = Object.keys(add).map((name) => `${path(name)} ${placeholder(name)}`);
  const expression = [
    clause("SET", setTerms),
    clause("REMOVE", removeTerms),
    clause("ADD", addTerms),
  ].join(" ");
  return {
    TableName: table(),
    Key: key,
    UpdateExpression: expression,
    ConditionExpression: condition,
    ExpressionAttributeNames: attributeNames(`${expression} ${condition}`),
    ExpressionAttributeValues: placeholders({ ...defined, ...add, ...values }),
  };
}

function transactItem(write: Write, marshallItem: DynamoHttp["marshallItem"]) {
  const withOldItem = (input: WriteInput) => ({
    ...marshallWrite(input, marshallItem),
    ...returnStored,
  });
  if ("put" in write) return { Put: withOldItem(putInput(write.put)) };
  if ("update" in write) return { Update: withOldItem(updateInput(write.update)) };
  if ("remove" in write) return { Delete: withOldItem(keyInput(write.remove)) };
  return { ConditionCheck: withOldItem(keyInput(write.check)) };
}

type WriteInput = { Item?: Item; Key?: Key; ExpressionAttributeValues?: Item | undefined };

/** The request in DynamoDB's JSON. */
const marshallWrite = (
  { Item, Key, ExpressionAttributeValues, ...rest }: WriteInput,
  marshallItem: DynamoHttp["marshallItem"],
) => ({
  ...rest,
  Item: marshallItem(Item),
  Key: marshallItem(Key),
  ExpressionAttributeValues: marshallItem(ExpressionAttributeValues),
});

const conditionInput = ({ condition, values }: Condition) => ({
  ConditionExpression: condition,
  ExpressionAttributeNames: attributeNames(condition),
  ExpressionAttributeValues: placeholders(values),
});

/** `map.key` as an expression has it. */
const path = (name: string) =>
  name
    .split(".")
    .map((part) => `#${part}`)
    .join(".");
const placeholder = (name: string) => `:${name.replaceAll(".", "_")}`;

/** DynamoDB refuses an empty map, and a name that no expression uses. */
function attributeNames(expression = "") {
  const words = [...expression.matchAll(/#(\w+)/g)].map(([name, word]) => [name, word!]);
  return words.length > 0 ? (Object.fromEntries(words) as Record<string, string>) : undefined;
}

function placeholders(values: Item = {}) {
  const entries = Object.entries(values).map(([name, value]) => [placeholder(name), value]);
  return entries.length > 0 ? (Object.fromEntries(entries) as Item) : undefined;
}

const clause = (keyword: string, terms: string[]) =>
  terms.length > 0 ? `${keyword} ${terms.join(", ")}` : "";

type DynamoHttp = Awaited<ReturnType<typeof http>>;
const http = () => import("./dynamo-http.ts");
const sdk = () => import("./dynamo.sdk.ts");
const table = () => Resource.Data.name;
