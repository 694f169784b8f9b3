import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { loadStack, startCloud } from "../src/cloud.ts";
import { close, listen } from "../src/listen.ts";
import type { Log } from "../src/log.ts";

/** Everything that a case may need to know of the fixture, wherever it runs. */
export type Fixture = {
  /** Without the stage and without a slash at its end. */
  url: string;
  stage: string;
  websocketUrl: string;
  websocketAuthorizedUrl: string;
  apiKeys: Record<string, string>;
  cognito: {
    userPoolId: string;
    clientId: string;
    idToken: string;
    accessToken: string;
    accessTokenWithoutScope: string;
    expiredIdToken: string;
  };
  iam: { accessKeyId: string; secretAccessKey: string; region: string };
  /** Local only. `GET` answers `{"count": n}`: how often an authorizer's function was called. */
  authorizerCalls?: string;
  /** Local only. `POST {"advanceSeconds": n}` moves the clock. */
  clock?: string;
};

/** The program of `../fixture` in a cloud of its own, on free ports. */
export async function startFixture(
  log?: Log,
): Promise<{ fixture: Fixture; stop: () => Promise<void> }> {
  const root = join(import.meta.dirname, "../fixture");
  const data = mkdtempSync(join(tmpdir(), "balde-fixture-"));
  const stack = loadStack(join(root, "stack.json"));
  let calls = 0;
  const cloud = await startCloud({
    stack,
    root,
    data,
    ...(log && { log }),
    invoked: (functionArn) => void (functionArn.includes("Authorizer") && calls++),
  });
  const admin = createServer((req, res) => void answer(req, res));
  const adminUrl = `http://127.0.0.1:${await listen(admin, 0, "administration")}`;
  const { local } = cloud;
  const { userPoolId, clientId } = local.cognito!;
  cloud.createUser({ name: "someone", password: "Password-1234", email: "someone@example.com" });
  const issue = (options: { scope?: string; ageSeconds?: number }) =>
    cloud.issueTokens("someone", { clientId, ...options });
  const withScope = await issue({ scope: "images/read" });
  const withoutScope = await issue({});
  const expired = await issue({ ageSeconds: 2 * 86_400 });

  return {
    fixture: {
      url: new URL(local.api).origin,
      stage: new URL(local.api).pathname.slice(1),
      websocketUrl: local.webSockets!.Sockets!,
      websocketAuthorizedUrl: local.webSockets!.AuthorizedSockets!,
      apiKeys: local.apiKeys!,
      cognito: {
        userPoolId,
        clientId,
        idToken: withScope.IdToken,
        accessToken: withScope.AccessToken,
        accessTokenWithoutScope: withoutScope.AccessToken,
        expiredIdToken: expired.IdToken,
      },
      iam: { ...local.iam, region: local.region },
      authorizerCalls: `${adminUrl}/authorizer-calls`,
      clock: `${adminUrl}/clock`,
    },
    async stop() {
      await close(admin);
      await cloud.stop();
      rmSync(data, { recursive: true, force: true });
    },
  };

  async function answer(req: IncomingMessage, res: ServerResponse) {
    const found = await administer(req);
    res.writeHead(found ? 200 : 404, { "content-type": "application/json" });
    res.end(JSON.stringify(found ?? { message: "Not Found" }));
  }

  async function administer(req: IncomingMessage): Promise<object | undefined> {
    if (req.method === "GET" && req.url === "/authorizer-calls") return { count: calls };
    if (req.method !== "POST" || req.url !== "/clock") return undefined;
    const { advanceSeconds } = JSON.parse(Buffer.concat(await req.toArray()).toString());
    await cloud.clock.advance(Number(advanceSeconds) * 1000);
    return { now: new Date(cloud.clock.now()).toISOString() };
  }
}
