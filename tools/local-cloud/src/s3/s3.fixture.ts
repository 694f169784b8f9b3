import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

import { S3Client, type S3ClientConfig } from "@aws-sdk/client-s3";

import { createClock } from "../clock.ts";
import { type Principal, createPrincipals } from "../iam/principals.ts";
import type { Statement } from "../iam/policy.ts";
import { silentLog } from "../log.ts";
import type { GraphFile, ResourceInFile } from "../graph/graph-file.ts";
import { parseGraph } from "../graph/resource-graph.ts";
import type { EventRecord } from "./types.ts";
import { createS3 } from "./server.ts";

export const region = "eu-central-1";
export const bucketArn = (name: string) => `arn:aws:s3:::${name}`;

/** A graph with these buckets and, for each name, a role with these rights. */
export function smallGraph(
  buckets: ResourceInFile[],
  roles: Record<string, Statement[]> = {},
): GraphFile {
  const account = "123456789012";
  const made = Object.entries(roles).map(([name, statements]) =>
    resource("aws:iam/role:Role", name, {
      inputs: {
        name,
        assumeRolePolicy: JSON.stringify({
          Statement: [
            {
              Effect: "Allow",
              Principal: { Service: "lambda.amazonaws.com" },
              Action: "sts:AssumeRole",
            },
          ],
        }),
        inlinePolicies: [{ name: "inline", policy: JSON.stringify({ Statement: statements }) }],
      },
      outputs: { arn: `arn:aws:iam::${account}:role/${name}` },
    }),
  );
  return {
    app: "test",
    stage: "test",
    region,
    account,
    resources: [...buckets, ...made],
    functions: {},
  };
}

/** A bucket and the resources of its settings: `{ BucketVersioning: { … } }`. */
export function bucket(name: string, settings: Record<string, object> = {}): ResourceInFile[] {
  return [
    resource("aws:s3/bucket:Bucket", name, {
      inputs: { bucket: name },
      outputs: { arn: bucketArn(name) },
    }),
    ...Object.entries(settings).map(([kind, inputs]) =>
      resource(`aws:s3/${kind.charAt(0).toLowerCase()}${kind.slice(1)}:${kind}`, `${name}${kind}`, {
        inputs: { bucket: name, ...inputs },
        outputs: {},
      }),
    ),
  ];
}

export const versioned = { BucketVersioning: { versioningConfiguration: { status: "Enabled" } } };

export async function startS3(file: GraphFile) {
  const graph = parseGraph(file);
  // a folder within a folder, so that a test sees what is written beside it
  const root = mkdtempSync(join(tmpdir(), "s3-"));
  const folder = join(root, "data");
  mkdirSync(folder);
  const db = openState(folder);
  const principals = createPrincipals({ graph, db });
  const clock = createClock();
  const events: EventRecord[] = [];
  const denials: { principal: string; action: string; resource: string }[] = [];
  const log = {
    ...silentLog,
    denied: (refusal: (typeof denials)[number]) => void denials.push(refusal),
  };
  const notify = (_: string, record: EventRecord) => void events.push(record);
  const s3 = createS3({ graph, db, folder, principals, clock, log, notify });
  await new Promise<void>((resolve) => s3.server.listen(0, "127.0.0.1", resolve));
  const endpoint = `http://127.0.0.1:${(s3.server.address() as AddressInfo).port}`;
  const clients: S3Client[] = [];

  const client = (principal: Principal = principals.operator, config: S3ClientConfig = {}) => {
    const { accessKeyId, secretAccessKey, sessionToken } = principal;
    const credentials = { accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) };
    const made = new S3Client({
      region,
      endpoint,
      forcePathStyle: true,
      credentials,
      maxAttempts: 1,
      ...config,
    });
    clients.push(made);
    return made;
  };
  const role = (name: string) =>
    principals.forRole(`arn:aws:iam::${graph.account}:role/${name}`, "lambda.amazonaws.com");

  return {
    endpoint,
    folder,
    events,
    denials,
    clock,
    principals,
    client,
    role,
    async stop() {
      for (const made of clients) made.destroy();
      await s3.stop();
      db.close();
      rmSync(root, { recursive: true });
    },
  };
}

export function openState(folder: string): DatabaseSync {
  const db = new DatabaseSync(join(folder, "state.sqlite"), { timeout: 5000 });
  db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
  return db;
}

function resource(
  type: string,
  name: string,
  { inputs, outputs }: Pick<ResourceInFile, "inputs" | "outputs">,
): ResourceInFile {
  return {
    urn: `urn:pulumi:test::test::${type}::${name}`,
    type,
    name,
    id: name,
    inputs,
    outputs,
  };
}
