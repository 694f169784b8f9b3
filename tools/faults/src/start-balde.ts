import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

import { type Cloud, loadGraph, startCloud } from "@balde/local-cloud";
import { AwsClient } from "aws4fetch";

import { type User, signIn } from "../../e2e/src/api-calls.ts";
import type { Local } from "../../e2e/src/stage.ts";
import { type FaultProxy, createFaultProxy } from "./fault-proxy.ts";
import { type Stores, openStores } from "./stores.ts";

const root = resolve(import.meta.dirname, "../../..");

/** Balde on this machine, with a proxy between its functions and S3, SQS and DynamoDB. */
export type Balde = {
  cloud: Cloud;
  local: Local;
  proxy: FaultProxy;
  /** What is stored, read without the proxy. */
  stores: Stores;
  users: User[];
  /** Sends a signed request of an operator to `/admin/v1`. */
  admin(method: string, path: string, body?: object): Promise<Response>;
  stop(): Promise<void>;
};

/** Starts Balde's own graph with an empty folder and `userCount` users who are signed in. */
export async function startBalde(userCount: number): Promise<Balde> {
  const data = mkdtempSync(join(tmpdir(), "balde-faults-"));
  const graph = loadGraph(join(root, "infra/stack.json"));
  const proxy = createFaultProxy();
  const cloud = await startCloud({ graph, root, data, functionEndpoint: proxy.before });
  const accounts = Array.from({ length: userCount }, (_, index) => ({
    name: `user${index}`,
    password: "Picture-book-1",
  }));
  for (const account of accounts)
    cloud.createUser({ ...account, email: `${account.name}@example.com` });
  const local = { ...cloud.local, users: accounts } as unknown as Local;
  const { iam, region } = cloud.local;
  const operator = new AwsClient({ ...iam, region, service: "execute-api", retries: 0 });
  return {
    cloud,
    local,
    proxy,
    stores: openStores(cloud),
    users: await Promise.all(accounts.map((_, index) => signIn(local, index))),
    admin: (method, path, body) =>
      operator.fetch(`${local.api}/admin/v1${path}`, {
        method,
        ...(body && {
          headers: { "content-type": "application/json" },
          body: JSON.stringify(body),
        }),
      }),
    async stop() {
      await cloud.stop();
      await proxy.stop();
      rmSync(data, { recursive: true, force: true });
    },
  };
}
