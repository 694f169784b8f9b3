import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

// compares the tables of docs/operations.md with the resource graph

type Resource = {
  type: string;
  name: string;
  id: string;
  // the inputs of a resource depend on its type
  // oxlint-disable-next-line typescript/no-explicit-any
  inputs: Record<string, any>;
  outputs: { arn?: string; streamArn?: string };
};

const stack: { resources: Resource[]; functions: Record<string, { name: string }> } = JSON.parse(
  readFileSync("infra/stack.json", "utf8"),
);
const text = readFileSync("docs/operations.md", "utf8");

const ofType = (type: string) => stack.resources.filter((resource) => resource.type === type);
const byArn = (arn: string) =>
  stack.resources.find(({ outputs }) => outputs.arn === arn || outputs.streamArn === arn);
const queue = (arn: string) => byArn(arn)?.name.replace(/Queue$/, "");

test("the table of functions says how each function is invoked", () => {
  expect(table("Functions", ["function", "invoked by", "model"])).toEqual(
    each((handler) => {
      const sources = mappingsOf(handler).map(({ inputs }) => byArn(inputs["eventSourceArn"])!);
      const fed = sources.map(({ type, name }) =>
        type === "aws:sqs/queue:Queue"
          ? [`\`${name.replace(/Queue$/, "")}\``, "poll-based, queue"]
          : [`the stream of \`${name.replace(/Table$/, "")}\``, "poll-based, stream"],
      );
      const isCalled = ofType("aws:apigateway/integration:Integration").some(({ inputs }) =>
        inputs["uri"]?.includes(`${handler.outputs.arn}/`),
      );
      const called = isCalled ? [["the gateway", "synchronous"]] : [];
      return [...called, ...fed];
    }),
  );
});

test("the table of settings is complete and correct", () => {
  const written = table("Settings", ["function", "setting", "value"]);
  expect(written).toEqual(
    each((handler) => {
      const { memorySize, timeout, reservedConcurrentExecutions: reserved } = handler.inputs;
      const disk = handler.inputs["ephemeralStorage"]?.size ?? DEFAULT_DISK_MB;
      return Object.entries({
        memory: `${memorySize} MB`,
        ...(disk !== DEFAULT_DISK_MB && { disk: `${disk} MB` }),
        timeout: `${timeout} s`,
        // -1 means that Lambda reserves none of the account's concurrency
        ...(reserved >= 0 && { "reserved concurrency": `${reserved}` }),
        ...Object.assign({}, ...mappingsOf(handler).map(mappingSettings)),
      });
    }),
  );
});

test("no function is invoked asynchronously, so none has settings for it", () => {
  expect(ofType("aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig")).toEqual([]);
  const notifications = ofType("aws:s3/bucketNotification:BucketNotification");
  expect(notifications.flatMap(({ inputs }) => inputs["lambdaFunctions"] ?? [])).toEqual([]);
});

/** Of /tmp: https://docs.aws.amazon.com/lambda/latest/dg/configuration-ephemeral-storage.html */
const DEFAULT_DISK_MB = 512;

const mappingsOf = ({ id, outputs }: Resource) =>
  ofType("aws:lambda/eventSourceMapping:EventSourceMapping").filter(({ inputs }) =>
    [id, outputs.arn].includes(inputs["functionName"]),
  );

function mappingSettings({ inputs }: Resource): Record<string, string> {
  const source = byArn(inputs["eventSourceArn"])!;
  const common = {
    batch: `${inputs["batchSize"]}`,
    window: `${inputs["maximumBatchingWindowInSeconds"] ?? 0} s`,
    "partial failures": inputs["functionResponseTypes"]?.includes("ReportBatchItemFailures")
      ? "reported one by one"
      : "the whole batch",
  };
  if (source.type !== "aws:sqs/queue:Queue")
    return {
      ...common,
      retries: `${inputs["maximumRetryAttempts"]}`,
      "oldest record": `${inputs["maximumRecordAgeInSeconds"]} s`,
      bisecting: inputs["bisectBatchOnFunctionError"] ? "yes" : "no",
      filter: inputs["filterCriteria"].filters
        .map(({ pattern }: { pattern: string }) => `\`${pattern}\``)
        .join(", "),
      "on failure": `\`${queue(inputs["destinationConfig"].onFailure.destinationArn)}\``,
    };
  const redrive = JSON.parse(source.inputs["redrivePolicy"]);
  const dead = byArn(redrive.deadLetterTargetArn)!;
  return {
    ...common,
    "at the same time": `${inputs["scalingConfig"].maximumConcurrency}`,
    "visibility timeout": `${source.inputs["visibilityTimeoutSeconds"]} s`,
    attempts: `${redrive.maxReceiveCount}`,
    "dead letters": `\`${queue(redrive.deadLetterTargetArn)}\`, ${dead.inputs["messageRetentionSeconds"] / 86_400} days`,
  };
}

/** Rows by function, in their order. */
function each(rows: (handler: Resource) => string[][]): string[][] {
  return ofType("aws:lambda/function:Function")
    .map((handler) => ({ name: stack.functions[handler.outputs.arn!]!.name, handler }))
    .toSorted((one, other) => (one.name < other.name ? -1 : 1))
    .flatMap(({ name, handler }) => rows(handler).map((row) => [`\`${name}\``, ...row]));
}

/** These columns of the table under a heading, row by row. */
function table(heading: string, columns: string[]): string[][] {
  const [, section = ""] = text.split(`## ${heading}\n`);
  const [head, , ...rows] = section
    .split("\n## ")[0]!
    .split("\n")
    .filter((line) => line.startsWith("|"))
    .map((line) => line.slice(1, -1).split("|"))
    .map((cells) => cells.map((cell) => cell.trim()));
  expect(head?.slice(0, columns.length)).toEqual(columns);
  return rows.map((cells) => cells.slice(0, columns.length));
}
