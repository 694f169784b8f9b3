import { type Resource, type ResourceGraph, resourcesOf } from "../graph/resource-graph.ts";
import { StartError } from "../start-error.ts";
import type { Answer, Engine } from "./engine.ts";

/** A table as the resource graph describes it. */
export type Table = {
  name: string;
  arn: string;
  keys: Keys;
  indexes: Index[];
  attributes: Record<string, "S" | "N" | "B">;
  /** The attribute that holds an item's expiry in seconds since 1970. */
  ttl?: string;
  stream?: { view: string; arn: string };
};

export type Keys = { hash: string; range?: string };
type Index = Keys & { name: string; projection: object; local?: boolean };

export const tablesOf = (graph: ResourceGraph): Table[] =>
  resourcesOf(graph, "aws:dynamodb/table:Table").map(read);

/**
 * Creates the tables that the engine does not have.
 * @throws StartError if a table in the engine has other keys, indexes or stream than in the graph
 */
export async function ensureTables(engine: Engine, tables: readonly Table[]): Promise<void> {
  for (const table of tables) {
    const existing = await engine
      .call("DescribeTable", { TableName: table.name })
      .catch((error: unknown) => {
        if ((error as Error).name === "ResourceNotFoundException") return undefined;
        throw error;
      });
    if (existing) rejectDifferentTable(table, existing["Table"]);
    else await engine.call("CreateTable", createTableInput(table));
  }
}

/** Returns the ARN that the engine gave to the stream of a table. */
export async function engineStreamArn(engine: Engine, table: Table): Promise<string> {
  const { Table } = await engine.call("DescribeTable", { TableName: table.name });
  return Table.LatestStreamArn;
}

type TableInGraph = Resource<"aws:dynamodb/table:Table">;

function read({ id, inputs, outputs }: TableInGraph): Table {
  const attributes = Object.fromEntries(inputs.attributes.map(({ name, type }) => [name, type]));
  const indexes: Index[] = [
    ...(inputs.globalSecondaryIndexes ?? []).map((index) => ({
      name: index.name,
      ...keysOf(index, index.name),
      projection: projection(index),
    })),
    ...(inputs.localSecondaryIndexes ?? []).map((index) => ({
      name: index.name,
      hash: inputs.hashKey,
      range: index.rangeKey,
      projection: projection(index),
      local: true,
    })),
  ];
  return {
    name: id,
    arn: outputs.arn,
    keys: keysOf(inputs, id),
    indexes,
    attributes,
    ...(inputs.ttl?.enabled && inputs.ttl.attributeName ? { ttl: inputs.ttl.attributeName } : {}),
    ...(inputs.streamEnabled && inputs.streamViewType && outputs.streamArn
      ? { stream: { view: inputs.streamViewType, arn: outputs.streamArn } }
      : {}),
  };
}

/** Reads `hashKey` and `rangeKey`, or the provider's newer `keySchemas`, of which the engine supports one key of each kind. */
function keysOf(from: KeysInGraph, name: string): Keys {
  const { hashKey, rangeKey, keySchemas } = from;
  const named = (type: string) =>
    (keySchemas ?? []).filter(({ keyType }) => keyType === type).map((key) => key.attributeName);
  if (hashKey && !keySchemas) return { hash: hashKey, ...(rangeKey ? { range: rangeKey } : {}) };
  const [hash, ...moreHash] = named("HASH");
  const [range, ...moreRange] = named("RANGE");
  if (!hash || moreHash.length > 0 || moreRange.length > 0)
    throw new StartError(
      `${name} must have one hash key and at most one range key; more are not emulated.`,
    );
  return { hash, ...(range ? { range } : {}) };
}

type KeysInGraph = Pick<IndexInGraph, "hashKey" | "rangeKey" | "keySchemas">;
type IndexInGraph = NonNullable<TableInGraph["inputs"]["globalSecondaryIndexes"]>[number];

const projection = (index: Pick<IndexInGraph, "projectionType" | "nonKeyAttributes">) => ({
  ProjectionType: index.projectionType,
  ...(index.nonKeyAttributes ? { NonKeyAttributes: index.nonKeyAttributes } : {}),
});

const schema = ({ hash, range }: Keys) => [
  { AttributeName: hash, KeyType: "HASH" },
  ...(range ? [{ AttributeName: range, KeyType: "RANGE" }] : []),
];

function createTableInput(table: Table) {
  const some = (indexes: Index[]) =>
    indexes.map((index) => ({
      IndexName: index.name,
      KeySchema: schema(index),
      Projection: index.projection,
    }));
  const global = some(table.indexes.filter(({ local }) => !local));
  const local = some(table.indexes.filter((index) => index.local));
  return {
    TableName: table.name,
    BillingMode: "PAY_PER_REQUEST",
    AttributeDefinitions: Object.entries(table.attributes).map(([name, type]) => ({
      AttributeName: name,
      AttributeType: type,
    })),
    KeySchema: schema(table.keys),
    ...(global.length > 0 ? { GlobalSecondaryIndexes: global } : {}),
    ...(local.length > 0 ? { LocalSecondaryIndexes: local } : {}),
    ...(table.stream
      ? { StreamSpecification: { StreamEnabled: true, StreamViewType: table.stream.view } }
      : {}),
  };
}

function rejectDifferentTable(table: Table, existing: Answer): void {
  const wanted = describeShape(createTableInput(table));
  const found = describeShape(existing);
  if (wanted === found) return;
  throw new StartError(
    `The stored table ${table.name} has other keys, indexes or stream than in the resource graph (stored ${found}, graph ${wanted}): choose another folder with --data, or remove this one.`,
  );
}

/** Returns the keys, indexes and stream, which cannot change without a new table, as a text to compare and to show. */
function describeShape(described: Answer): string {
  const types = new Map<string, string>(
    described["AttributeDefinitions"].map((one: Answer) => [
      one["AttributeName"],
      one["AttributeType"],
    ]),
  );
  const keys = (schemas: Answer[]) =>
    schemas.map((one) => `${one["AttributeName"]}:${types.get(one["AttributeName"])}`).join("+");
  const indexes = [
    ...(described["GlobalSecondaryIndexes"] ?? []),
    ...(described["LocalSecondaryIndexes"] ?? []),
  ]
    .map((index: Answer) => `${index["IndexName"]} ${keys(index["KeySchema"])}`)
    .toSorted();
  const stream = described["StreamSpecification"]?.StreamEnabled
    ? [described["StreamSpecification"].StreamViewType]
    : [];
  return [keys(described["KeySchema"]), ...indexes, ...stream].join(", ");
}
