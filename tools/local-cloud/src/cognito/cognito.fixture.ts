import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

import {
  CognitoIdentityProviderClient,
  InitiateAuthCommand,
} from "@aws-sdk/client-cognito-identity-provider";
import { AuthenticationDetails, CognitoUser, CognitoUserPool } from "amazon-cognito-identity-js";

import { type Clock, createClock } from "../clock.ts";
import type { Entry } from "../eventbridge/event-bus.ts";
import type { GraphFile, ResourceInFile } from "../graph/graph-file.ts";
import { parseGraph } from "../graph/resource-graph.ts";
import { createPrincipals } from "../iam/principals.ts";
import { type Log, silentLog } from "../log.ts";
import { createUserPools } from "./cognito.ts";

export const region = "eu-central-1";
export const poolId = `${region}_AbCdEf123`;
export const otherPoolId = `${region}_Other1234`;
export const arn = `arn:aws:cognito-idp:${region}:123456789012:userpool/${poolId}`;
export const password = "Correct-horse-1";

const resource = (
  type: string,
  id: string,
  inputs: object,
  outputs: object = {},
): ResourceInFile => ({ urn: `urn:${id}`, type, name: id, id, inputs, outputs });

const role = (name: string, ...statements: object[]) =>
  resource(
    "aws:iam/role:Role",
    name,
    {
      name,
      assumeRolePolicy: {
        Statement: {
          Effect: "Allow",
          Action: "sts:AssumeRole",
          Principal: { Service: "lambda.amazonaws.com" },
        },
      },
      inlinePolicies: [{ policy: JSON.stringify({ Statement: statements }) }],
    },
    { arn: `arn:aws:iam::123456789012:role/${name}` },
  );

const client = (id: string, explicitAuthFlows: string[], more: object = {}) =>
  resource("aws:cognito/userPoolClient:UserPoolClient", id, {
    userPoolId: poolId,
    explicitAuthFlows: ["ALLOW_REFRESH_TOKEN_AUTH", ...explicitAuthFlows],
    preventUserExistenceErrors: "ENABLED",
    accessTokenValidity: 60,
    idTokenValidity: 60,
    tokenValidityUnits: { accessToken: "minutes", idToken: "minutes" },
    ...more,
  });

/** Two pools: the first with the clients `web` and `srp-only`, the second with a client of its own. */
const graphFile = (pool: object, web: object): GraphFile => ({
  app: "test",
  stage: "test",
  region,
  account: "123456789012",
  functions: {},
  resources: [
    resource(
      "aws:cognito/userPool:UserPool",
      poolId,
      {
        aliasAttributes: ["email"],
        autoVerifiedAttributes: ["email"],
        passwordPolicy: { minimumLength: 12, requireSymbols: false },
        ...pool,
      },
      { arn },
    ),
    client("web", ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_USER_SRP_AUTH"], web),
    client("srp-only", ["ALLOW_USER_SRP_AUTH"]),
    resource("aws:cognito/userPool:UserPool", otherPoolId, {}),
    client("of-other-pool", ["ALLOW_USER_SRP_AUTH"], { userPoolId: otherPoolId }),
    role(
      "admin",
      {
        Effect: "Allow",
        Action: [
          "cognito-idp:Admin*",
          "cognito-idp:Describe*",
          "cognito-idp:ListUserPoolClients",
          "cognito-idp:ListUsers",
        ],
        Resource: arn,
      },
      { Effect: "Allow", Action: "cognito-idp:ListUserPools", Resource: "*" },
    ),
    role("unrelated", { Effect: "Allow", Action: "s3:GetObject", Resource: "*" }),
  ],
});

/** Starts Cognito with two pools on a folder of its own; `pool` and `web` are further properties of the first pool and its client `web`. */
export async function startTestPools({ pool = {}, web = {} } = {}) {
  const folder = mkdtempSync(join(tmpdir(), "cognito-"));
  const statePath = join(folder, "state.sqlite");
  const clock = createStandingClock();
  const logged: string[] = [];
  const events: Entry[] = [];
  const bus = { put: (entry: Entry) => void events.push(entry) };
  const log: Log = { ...silentLog, info: (message) => logged.push(message) };
  let running = await listen();

  async function listen() {
    const db = new DatabaseSync(statePath);
    const graph = parseGraph(graphFile(pool, web));
    const principals = createPrincipals({ graph, db });
    const pools = createUserPools({ graph, db, principals, clock, log, events: bus });
    const server = createServer((req, res) => void pools.handle(req, res));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const sdk = clientOf(endpoint, { accessKeyId: "none", secretAccessKey: "none" });
    return { db, principals, pools, server, endpoint, sdk };
  }

  function close() {
    running.server.closeAllConnections();
    running.server.close();
    running.db.close();
  }

  /** Returns a client of AWS's SDK with the keys of a role. */
  function as(roleName: string) {
    const roleArn = `arn:aws:iam::123456789012:role/${roleName}`;
    return clientOf(running.endpoint, running.principals.forRole(roleArn, "lambda.amazonaws.com"));
  }

  let next = 0;
  const signIn = (USERNAME: string, PASSWORD = password, ClientId = "web") =>
    running.sdk.send(
      new InitiateAuthCommand({
        ClientId,
        AuthFlow: "USER_PASSWORD_AUTH",
        AuthParameters: { USERNAME, PASSWORD },
      }),
    );

  return {
    clock,
    logged,
    /** What was put on the event bus. */
    events,
    statePath,
    as,
    signIn,
    get pools() {
      return running.pools;
    },
    get endpoint() {
      return running.endpoint;
    },
    get sdk() {
      return running.sdk;
    },

    /** Creates a confirmed user and returns its name. */
    newUser() {
      const name = `user${++next}`;
      running.pools.createUser({ name, password, email: `${name}@example.com` });
      return name;
    },

    tokens: async (name: string) => (await signIn(name)).AuthenticationResult!,

    /** Signs in as AWS's browser library does, and returns the ID token. `onTotp` gives the code that the library asks for. */
    signInBySrp: (name: string, secret: string, onTotp?: () => string) =>
      new Promise<string>((resolve, reject) => {
        const Pool = new CognitoUserPool({
          UserPoolId: poolId,
          ClientId: "srp-only",
          endpoint: running.endpoint,
        });
        const user = new CognitoUser({ Username: name, Pool });
        const callbacks = {
          onSuccess: (session: { getIdToken(): { getJwtToken(): string } }) =>
            resolve(session.getIdToken().getJwtToken()),
          onFailure: reject,
          totpRequired: () => user.sendMFACode(onTotp!(), callbacks, "SOFTWARE_TOKEN_MFA"),
        };
        user.authenticateUser(
          new AuthenticationDetails({ Username: name, Password: secret }),
          callbacks,
        );
      }),

    /** Returns the code that was printed last instead of being sent. */
    lastCode: () => /code (\d{6})$/.exec(logged.at(-1)!)![1]!,

    /** Starts again on the same folder. */
    async restart() {
      close();
      running = await listen();
    },

    stop() {
      close();
      rmSync(folder, { recursive: true });
    },
  };
}

/** Returns a clock that only `advance` moves, because a lock-out of a second would end during a slow test. */
function createStandingClock(): Clock {
  const clock = createClock();
  let now = clock.now();
  return {
    ...clock,
    now: () => now,
    async advance(ms) {
      now += ms;
      await clock.advance(ms);
    },
  };
}

type Credentials = { accessKeyId: string; secretAccessKey: string };

const clientOf = (endpoint: string, credentials: Credentials) =>
  new CognitoIdentityProviderClient({ region, endpoint, maxAttempts: 1, credentials });

export const claimsOf = (token: string) =>
  JSON.parse(Buffer.from(token.split(".")[1]!, "base64url").toString());
