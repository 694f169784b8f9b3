import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";

import { loadGraph, startCloud } from "../src/cloud.ts";
import { close, listen } from "../src/listen.ts";
import type { Log } from "../src/log.ts";

/** What cases need to know of a running fixture, local or in AWS. */
export type Fixture = {
  /** Without the stage and without a trailing slash. */
  url: string;
  stage: string;
  websocketUrl: string;
  websocketAuthorizedUrl: string;
  apiKeys: Record<string, string>;
  cognito: {
    endpoint: string;
    userPoolId: string;
    clientId: string;
    idToken: string;
    accessToken: string;
    accessTokenWithoutScope: string;
    expiredIdToken: string;
  };
  iam: { accessKeyId: string; secretAccessKey: string; region: string };
  /** Local only. `GET` returns `{"count": n}`: how often an authorizer function was called. */
  authorizerCalls?: string;
  /** Local only. `POST {"advanceSeconds": n}` advances the virtual clock and returns new `cognito` tokens. */
  clock?: string;
};

/** Starts the program of `../fixture` in a local cloud of its own, on free ports. */
export async function startFixture(
  log?: Log,
): Promise<{ fixture: Fixture; stop: () => Promise<void> }> {
  const root = join(import.meta.dirname, "../fixture");
  const data = mkdtempSync(join(tmpdir(), "local-cloud-fixture-"));
  const graph = loadGraph(join(root, "stack.json"));
  let calls = 0;
  let issued: { at: number; tokens: Fixture["cognito"] } | undefined;
  const cloud = await startCloud({
    graph,
    root,
    data,
    ...(log && { log }),
    onFunctionCall: (functionArn) => void (functionArn.includes("Authorizer") && calls++),
  });
  const admin = createServer((req, res) => void respond(req, res));
  const adminUrl = `http://127.0.0.1:${await listen(admin, 0, "administration")}`;
  const { local } = cloud;
  const { endpoint, userPoolId, clientId } = local.cognito!;
  cloud.createUser({ name: "someone", password: "Password-1234", email: "someone@example.com" });

  return {
    fixture: {
      url: new URL(local.api!).origin,
      stage: new URL(local.api!).pathname.slice(1),
      websocketUrl: local.webSockets!.Sockets!,
      websocketAuthorizedUrl: local.webSockets!.AuthorizedSockets!,
      apiKeys: local.apiKeys!,
      cognito: await tokens(),
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

  /** Returns tokens issued at most a minute ago: cases ask often, and signing is slow. */
  async function tokens() {
    const now = cloud.clock.now();
    if (!issued || now - issued.at > 60_000) issued = { at: now, tokens: await cognito() };
    return issued.tokens;
  }

  async function cognito(): Promise<Fixture["cognito"]> {
    const issue = (options: { scope?: string; ageSeconds?: number; validSeconds?: number }) =>
      cloud.issueTokens("someone", { clientId, ...options });
    const validSeconds = TOKEN_DAYS * 86_400;
    const withScope = await issue({ scope: "images/read", validSeconds });
    const withoutScope = await issue({ validSeconds });
    const expired = await issue({ ageSeconds: 2 * 86_400 });
    return {
      endpoint,
      userPoolId,
      clientId,
      idToken: withScope.IdToken,
      accessToken: withScope.AccessToken,
      accessTokenWithoutScope: withoutScope.AccessToken,
      expiredIdToken: expired.IdToken,
    };
  }

  async function respond(req: IncomingMessage, res: ServerResponse) {
    const { status, body } = await handle(req);
    res.writeHead(status, { "content-type": "application/json" });
    res.end(JSON.stringify(body));
  }

  async function handle(req: IncomingMessage): Promise<{ status: number; body: object }> {
    const path = `${req.method} ${req.url}`;
    if (path === "GET /authorizer-calls") return { status: 200, body: { count: calls } };
    if (path !== "POST /clock") return { status: 404, body: { message: "Not Found" } };
    const seconds = advanceSeconds(await text(req));
    if (seconds === undefined)
      return {
        status: 400,
        body: { message: `The body must be {"advanceSeconds": n} with n >= 0.` },
      };
    await cloud.clock.advance(seconds * 1000);
    const now = new Date(cloud.clock.now()).toISOString();
    return { status: 200, body: { now, cognito: await tokens() } };
  }
}

// Cognito allows one day; longer tokens stay valid when a case advances the clock by a day
const TOKEN_DAYS = 30;

function advanceSeconds(body: string): number | undefined {
  try {
    const seconds = JSON.parse(body).advanceSeconds;
    return typeof seconds === "number" && seconds >= 0 ? seconds : undefined;
  } catch {
    return undefined;
  }
}
