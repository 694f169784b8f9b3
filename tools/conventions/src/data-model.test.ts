import { existsSync, globSync, readFileSync } from "node:fs";

import { afterAll, beforeAll, expect, test } from "vitest";

import * as Account from "../../../packages/core/src/account.ts";
import * as Dynamo from "../../../packages/core/src/dynamo.ts";
import * as Idempotency from "../../../packages/core/src/idempotency.ts";
import * as ImageRow from "../../../packages/core/src/image.row.ts";
import { State } from "../../../packages/core/src/image.schema.ts";
import * as Image from "../../../packages/core/src/image.ts";
import * as ImageName from "../../../packages/core/src/image-name.ts";
import * as Ingest from "../../../packages/core/src/ingest.ts";
import * as LikeCount from "../../../packages/core/src/like-count.ts";
import * as Like from "../../../packages/core/src/like.ts";
import * as RenderLease from "../../../packages/core/src/render-lease.ts";
import * as Usage from "../../../packages/core/src/usage.ts";
import { startCloud } from "../../../packages/core/test/cloud.ts";
import {
  as,
  found,
  likeChange,
  pendingImage,
  readyImage,
} from "../../../packages/core/test/samples.ts";

const document = readFileSync("docs/data-model.md", "utf8");

/** The cells of the table whose first column has this title, and whose second column has that one. */
function tableRows(first: string, second: string, text = document): string[][] {
  const lines = text.split("\n");
  const head = lines.findIndex((line) => line.startsWith(`| ${first} | ${second} |`));
  expect(head, `a table "${first}" of docs/data-model.md`).toBeGreaterThan(-1);
  const rows = lines.slice(head + 2);
  const end = rows.findIndex((line) => !line.startsWith("|"));
  return rows.slice(0, end === -1 ? rows.length : end).map((line) =>
    line
      .slice(1, -1)
      .split("|")
      .map((cell) => cell.trim()),
  );
}

const code = (cell: string) => [...cell.matchAll(/`([^`]+)`/g)].map(([, text]) => text!);

const rowTypes = tableRows("row", "pk").map(([name, pk, sk, file]) => ({
  name: name!,
  pk: code(pk!)[0]!,
  sk: code(sk!)[0]!,
  file: code(file!)[0]!,
}));

const indexes = tableRows("index", "row").map(([index, row, partition, sort]) => ({
  index: code(index!)[0]!,
  row: row!,
  partition: code(partition!)[0]!,
  sort: code(sort!)[0]!,
}));

/** The attributes in the section of a row. */
function attributesOf(name: string): string[] {
  const section = document.split(`\n### ${name}\n`)[1]?.split(/\n##+ /)[0];
  expect(section, `a section "${name}" of docs/data-model.md`).toBeDefined();
  if (!section!.includes("| attribute |")) return [];
  return tableRows("attribute", "is", section).flatMap(([names]) => code(names!));
}

/** `IMAGE#{id}` as a regular expression. */
const toPattern = (template: string) =>
  new RegExp(
    `^${template.replaceAll(/[.*+?^$()|[\]\\]/g, "\\$&").replaceAll(/\{\w+\}/g, "[^#]+")}$`,
  );

const matches = (template: string, value: unknown) => toPattern(template).test(String(value));

const sources = globSync("packages/{core,api,functions}/src/**/*.ts").filter(
  (file) => !file.endsWith(".test.ts"),
);

/** What a regular expression finds in the first group, in all sources. */
const findInSources = (pattern: RegExp) =>
  new Set(
    sources.flatMap((file) =>
      [...readFileSync(file, "utf8").matchAll(pattern)].map((match) => match[1]!),
    ),
  );

let cloud: Awaited<ReturnType<typeof startCloud>>;
let items: Dynamo.Item[] = [];

// every kind of row once, in every form that it can have
beforeAll(async () => {
  cloud = await startCloud();
  const { id: rejected } = await pendingImage();
  const rejecting = (await Ingest.startProcessing({ id: rejected, sequencer: "01" }))!;
  await Ingest.markRejected({ id: rejected, sequencer: "01" }, rejecting, {
    code: "a.b",
    detail: "No",
  });
  const about = {
    title: "Pier",
    alt: "A pier",
    tags: ["sea"],
    name: "pier.jpg",
    fileName: "IMG_1.jpg",
  };
  const { id } = await pendingImage(about);
  const event = { id, sequencer: "01", tag: "9 abc" };
  const image = (await Ingest.startProcessing(event))!;
  await Ingest.markReady(event, image, { ...found, credit: { artist: "Ann" } });
  await ImageName.claim("pier.jpg", { id, ownerId: "ann" });
  await pendingImage({ name: "reserved.jpg" });
  await pendingImage({ sha256: "0".repeat(64) });
  await as("ann", () => Like.put(id));
  await LikeCount.applyChanges([likeChange(id, "ann", 1, 1n)]);
  for (const needsBudget of [true, false])
    await RenderLease.acquire({ imageId: id, plan: "0123", needsBudget });
  const request = { route: "POST /x", content: "" };
  for (const outcome of ["done", "failed"] as const)
    await as("ann", () => Idempotency.runOnce({ ...request, key: outcome }, async () => outcome));
  const deleted = await readyImage();
  await as("ann", () => Image.remove(deleted));
  await Account.markForDeletion("bo");
  await as("ann", () => Usage.countSignedUrls(1));
  for await (const page of Dynamo.scan({ filter: "attribute_exists(#pk)", values: {} }))
    items.push(...page.items);
}, 60_000);
afterAll(() => cloud.stop());

const itemsOf = ({ pk, sk }: { pk: string; sk: string }) =>
  items.filter((item) => matches(pk, item["pk"]) && matches(sk, item["sk"]));

test("every row that the code writes is a row of the document", () => {
  const unknown = items.filter(
    (item) => !rowTypes.some((row) => matches(row.pk, item["pk"]) && matches(row.sk, item["sk"])),
  );
  expect(unknown.map(({ pk, sk }) => ({ pk, sk }))).toEqual([]);
});

test.each(rowTypes)("the row $name has the attributes of the document and no others", (row) => {
  const rows = itemsOf(row);
  expect(rows.length, `a row with the key ${row.pk} / ${row.sk}`).toBeGreaterThan(0);
  const written = [...new Set(rows.flatMap((item) => Object.keys(item)))].filter(
    (name) => !["pk", "sk", "writeId"].includes(name),
  );
  const described = attributesOf(row.name);
  const isDescribed = (name: string) => described.some((template) => matches(template, name));
  expect(
    written.filter((name) => !isDescribed(name)),
    "not in the document",
  ).toEqual([]);
  const isWritten = (template: string) => written.some((name) => matches(template, name));
  expect(
    described.filter((template) => !isWritten(template)),
    "not in the code",
  ).toEqual([]);
});

test("every attribute of the image's schema is in the document", () => {
  expect(attributesOf("Image")).toEqual(expect.arrayContaining(Object.keys(ImageRow.Row.shape)));
});

test("the tombstone keeps what the document says", () => {
  const [, kept] = /It keeps (.*?), each for a reason/.exec(document)!;
  expect(new Set(code(kept!))).toEqual(new Set(Object.keys(ImageRow.tombstoneAttributes)));
});

test("every index key that the code writes is in the document, and the other way round", () => {
  const written = items.flatMap((item) =>
    ["gsi1", "gsi2"].flatMap((index) => {
      const [partition, sort] = [item[`${index}pk`], item[`${index}sk`]];
      return partition === undefined ? [] : [{ index, partition, sort, pk: item["pk"] }];
    }),
  );
  const isSame = (key: (typeof written)[number], described: (typeof indexes)[number]) =>
    key.index === described.index &&
    matches(described.partition, key.partition) &&
    matches(described.sort, key.sort) &&
    matches(rowTypes.find(({ name }) => name === described.row)!.pk, key.pk);
  expect(written.filter((key) => !indexes.some((described) => isSame(key, described)))).toEqual([]);
  expect(indexes.filter((described) => !written.some((key) => isSame(key, described)))).toEqual([]);
});

test("every key prefix in the code is in the document, and every prefix of the document is in the file that it names", () => {
  const inCode = findInSources(/["'`]([A-Z]{2,}#)/g);
  const templates = [
    ...rowTypes.flatMap(({ pk, sk }) => [pk, sk]),
    ...indexes.map(({ partition }) => partition),
  ];
  const inDocument = templates.flatMap((template) => /^[A-Z]+#/.exec(template) ?? []);
  expect(inCode).toEqual(new Set(inDocument));
  for (const { pk, file } of rowTypes) {
    const prefix = /^[A-Z]+/.exec(pk)![0];
    const text = readFileSync(file, "utf8");
    const usesImagePartition = prefix === "IMAGE" && text.includes("ImageRow.partition(");
    expect(text.includes(prefix) || usesImagePartition, `${prefix} in ${file}`).toBe(true);
  }
});

test("every fixed sort key in the code is in the document", () => {
  const inCode = findInSources(/\bsk: "([A-Z]+)"/g);
  const inDocument = rowTypes.map(({ sk }) => sk).filter((sk) => /^[A-Z]+$/.test(sk));
  expect(inCode).toEqual(new Set(inDocument));
});

test("the table has the keys, the indexes and the TTL of the document", () => {
  const storage = readFileSync("infra/storage.ts", "utf8");
  const declared = [...storage.matchAll(/(gsi\d): \{ hashKey: "(\w+)", rangeKey: "(\w+)" \}/g)];
  expect(declared.map(([, ...keys]) => keys.join())).toEqual([
    "gsi1,gsi1pk,gsi1sk",
    "gsi2,gsi2pk,gsi2sk",
  ]);
  expect(new Set(indexes.map(({ index }) => index))).toEqual(
    new Set(declared.map(([, name]) => name)),
  );
  expect(storage).toContain('primaryIndex: { hashKey: "pk", rangeKey: "sk" }');
  const [, ttl] = /ttl: "(\w+)"/.exec(storage)!;
  expect(document).toContain(`\`${ttl}\` is the TTL`);
});

test("the state diagram has the states of an image", () => {
  const [, diagram] = /```mermaid\n([^`]*)```/.exec(document)!;
  const states = [...diagram!.matchAll(/(\w+) --> |--> (\w+)/g)].map(([, from, to]) => from ?? to);
  expect(new Set(states)).toEqual(new Set(State.options));
});

const prefixes = tableRows("prefix", "has").map(([prefix, , expires, writers]) => ({
  prefix: code(prefix!)[0]!,
  expires: expires!,
  writers: code(writers!),
}));

test("every bucket prefix in the code is in the document, and the other way round", () => {
  const described = new Set(prefixes.map(({ prefix }) => prefix));
  const objectKeys = readFileSync("packages/core/src/object-key.ts", "utf8");
  const inCode = [...objectKeys.matchAll(/["`]((?:[a-z]+\/)+)(?:\$\{|["`])/g)].map(
    ([, prefix]) => prefix!,
  );
  expect(new Set(inCode)).toEqual(described);
  const infra = globSync("infra/*.ts").map((file) => readFileSync(file, "utf8"));
  const inInfra = infra.flatMap((text) =>
    [...text.matchAll(/(?:"([a-z]+\/)\*"|[pP]refix: "([a-z/]+)")/g)].map(
      ([, grant, rule]) => grant ?? rule!,
    ),
  );
  const isMediaType = (prefix: string) => prefix === "image/";
  expect(inInfra.filter((prefix) => !isMediaType(prefix) && !described.has(prefix))).toEqual([]);
});

test("only object-key.ts makes keys of the bucket", () => {
  const folders = [...new Set(prefixes.map(({ prefix }) => prefix.split("/")[0]!))];
  const key = new RegExp(`["\`](?:${folders.join("|")})/`);
  const makers = sources.filter((file) =>
    readFileSync(file, "utf8")
      .split("\n")
      .some(
        (line) => key.test(line) && !/^\s*(?:import|export) .*from|^\s*(?:\/\/|\/?\*)/.test(line),
      ),
  );
  expect(makers).toEqual(["packages/core/src/object-key.ts"]);
});

test("objects expire as the document says", () => {
  const storage = readFileSync("infra/storage.ts", "utf8");
  const rules = [...storage.matchAll(/prefix: "([a-z/]+)", expiresIn: "([\w ]+)"/g)];
  const expiryOf = (prefix: string) =>
    rules.find(([, rule]) => prefix.startsWith(rule!))?.[2] ?? "never";
  expect(prefixes.map(({ prefix, expires }) => [prefix, expires])).toEqual(
    prefixes.map(({ prefix }) => [prefix, expiryOf(prefix)]),
  );
});

test("every file and folder that the document names exists", () => {
  const named = code(document).filter((text) => /^(?:packages|infra|tools)\//.test(text));
  expect(named.length).toBeGreaterThan(10);
  expect(named.filter((path) => !existsSync(path.replace(/#\w+$/, "")))).toEqual([]);
});
