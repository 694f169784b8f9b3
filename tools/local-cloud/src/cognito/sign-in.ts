import { createHash, randomBytes, randomUUID } from "node:crypto";

import { CognitoFault, invalidParameter, notAuthorized, userNotFound } from "./cognito-error.ts";
import type { Client } from "./user-pool.ts";
import {
  type Action,
  type Input,
  type World,
  checkSecretHash,
  clientOf,
  poolOf,
  record,
  text,
} from "./action.ts";
import * as Srp from "./srp.ts";
import { type User, poolName } from "./users.ts";

/** What a challenge waits for, by its session. In memory: a challenge lives three minutes, a restart ends it. */
const pending = new Map<string, Pending>();

type Pending = { username: string; client: string; until: number; srp?: Srp.Challenge | undefined };

const CHALLENGE_MS = 3 * 60_000;

export const signIn: Record<string, Action> = {
  InitiateAuth: (input, world) => begin(input, clientOf(input, world), world, "USER_PASSWORD_AUTH"),

  AdminInitiateAuth: (input, world) => {
    poolOf(input, world);
    return begin(input, clientOf(input, world), world, "ADMIN_USER_PASSWORD_AUTH");
  },

  RespondToAuthChallenge: respond,
  AdminRespondToAuthChallenge: respond,

  async GetTokensFromRefreshToken(input, world) {
    const client = clientOf(input, world);
    return refresh(client, text(input, "RefreshToken"), world);
  },

  RevokeToken(input, world) {
    const client = clientOf(input, world);
    const token = text(input, "Token");
    world.issuer.redeem(client, token);
    world.issuer.revoke(token);
    return {};
  },
};

function begin(input: Input, client: Client, world: World, passwordFlow: string) {
  const flow = text(input, "AuthFlow");
  const parameters = record(input, "AuthParameters");
  switch (flow) {
    case passwordFlow:
      allow(client, flow, `ALLOW_${flow}`);
      return password(client, parameters, world);
    case "USER_SRP_AUTH":
      allow(client, flow, "ALLOW_USER_SRP_AUTH");
      return srp(client, parameters, world);
    case "REFRESH_TOKEN":
    case "REFRESH_TOKEN_AUTH":
      allow(client, flow, "ALLOW_REFRESH_TOKEN_AUTH");
      return refresh(client, parameters.REFRESH_TOKEN ?? "", world);
    default:
      throw invalidParameter(`${flow} is not emulated`);
  }
}

function allow({ flows }: Client, flow: string, name: string) {
  // the flows without ALLOW_ are the older names of the same
  if (!flows.has(name) && !flows.has(name.replace("ALLOW_", "")))
    throw invalidParameter(`${flow} flow not enabled for this client`);
}

async function password(client: Client, parameters: Record<string, string>, world: World) {
  const name = text(parameters, "USERNAME");
  checkSecretHash(client, name, parameters.SECRET_HASH);
  const user = world.users.find(client.pool, name);
  if (!user) throw client.hidesUsers ? notAuthorized() : userNotFound();
  const isRight = world.users.knows(client.pool, user, text(parameters, "PASSWORD"));
  if (!isRight) throw notAuthorized();
  return admit(client, user, world);
}

/** The password is right: is the person free to come in? */
async function admit(client: Client, user: User, world: World) {
  if (!user.enabled) throw notAuthorized("User is disabled.");
  if (user.status === "UNCONFIRMED")
    throw new CognitoFault("UserNotConfirmedException", "User is not confirmed.");
  if (user.status === "RESET_REQUIRED")
    throw new CognitoFault(
      "PasswordResetRequiredException",
      "Password reset required for the user",
    );
  if (user.status === "FORCE_CHANGE_PASSWORD") return newPassword(client, user, world);
  return {
    ChallengeParameters: {},
    AuthenticationResult: await world.issuer.issue(client, user),
  };
}

function newPassword(client: Client, user: User, world: World) {
  const expires = user.modifiedAt + client.pool.passwords.temporaryDays * 86_400_000;
  if (expires < world.now())
    throw notAuthorized("Temporary password has expired and must be reset by an administrator.");
  const { sub: _, ...userAttributes } = user.attributes;
  return {
    ChallengeName: "NEW_PASSWORD_REQUIRED",
    Session: open(client, user.username, world),
    ChallengeParameters: {
      USER_ID_FOR_SRP: user.username,
      requiredAttributes: "[]",
      userAttributes: JSON.stringify(userAttributes),
    },
  };
}

function srp(client: Client, parameters: Record<string, string>, world: World) {
  const name = text(parameters, "USERNAME");
  checkSecretHash(client, name, parameters.SECRET_HASH);
  const user = world.users.find(client.pool, name);
  if (!user && !client.hidesUsers) throw userNotFound();
  const username = user?.username ?? name;
  // a stranger gets a challenge too, which nobody can meet
  const secret = user?.secret ?? strangerSecret(client, name);
  const challenge = Srp.challenge(
    poolName(client.pool),
    username,
    text(parameters, "SRP_A"),
    secret,
  );
  if (!challenge) throw invalidParameter("SRP_A is not a valid public value");
  const block = randomBytes(512).toString("base64");
  remember(block, client, username, world, user && challenge);
  return {
    ChallengeName: "PASSWORD_VERIFIER",
    ChallengeParameters: {
      SALT: secret.salt.replace(/^00/, ""),
      SECRET_BLOCK: block,
      SRP_B: challenge.serverPublic,
      USERNAME: username,
      USER_ID_FOR_SRP: username,
    },
  };
}

// the same salt each time, or asking twice would tell strangers from people
function strangerSecret(client: Client, name: string): Srp.Secret {
  const salt = createHash("sha256").update(`${client.id} ${name}`).digest("hex").slice(0, 32);
  return { salt, verifier: randomBytes(128).toString("hex") };
}

async function respond(input: Input, world: World) {
  const client = clientOf(input, world);
  const responses = record(input, "ChallengeResponses");
  switch (text(input, "ChallengeName")) {
    case "PASSWORD_VERIFIER": {
      const block = text(responses, "PASSWORD_CLAIM_SECRET_BLOCK");
      const { username, srp } = take(block, client, world);
      checkSecretHash(client, username, responses.SECRET_HASH);
      const isRight = srp?.check({
        signature: text(responses, "PASSWORD_CLAIM_SIGNATURE"),
        timestamp: text(responses, "TIMESTAMP"),
        secretBlock: Buffer.from(block, "base64"),
      });
      const user = world.users.find(client.pool, username);
      if (!user || !isRight) throw notAuthorized();
      return admit(client, user, world);
    }
    case "NEW_PASSWORD_REQUIRED": {
      const { username } = take(text(input, "Session"), client, world);
      const user = world.users.find(client.pool, username);
      if (!user) throw userNotFound();
      const password = text(responses, "NEW_PASSWORD");
      return admit(
        client,
        world.users.setPassword(client.pool, user, password, "CONFIRMED"),
        world,
      );
    }
    default:
      throw invalidParameter(`The challenge ${String(input.ChallengeName)} is not emulated`);
  }
}

async function refresh(client: Client, token: string, world: World) {
  const grant = world.issuer.redeem(client, token);
  const user = world.users.find(client.pool, grant.username);
  if (!user) throw userNotFound();
  if (!user.enabled) throw notAuthorized("User is disabled.");
  return {
    ChallengeParameters: {},
    AuthenticationResult: await world.issuer.renew(client, user, grant),
  };
}

function open(client: Client, username: string, world: World): string {
  const session = randomUUID() + randomBytes(32).toString("base64url");
  remember(session, client, username, world);
  return session;
}

function remember(
  session: string,
  client: Client,
  username: string,
  world: World,
  srp?: Srp.Challenge,
) {
  for (const [key, { until }] of pending) {
    if (until > world.now()) break;
    pending.delete(key);
  }
  pending.set(session, { username, client: client.id, until: world.now() + CHALLENGE_MS, srp });
}

/** A session is good once. */
function take(session: string, client: Client, world: World): Pending {
  const found = pending.get(session);
  pending.delete(session);
  if (!found || found.client !== client.id) throw notAuthorized("Invalid session for the user.");
  if (found.until < world.now())
    throw notAuthorized("Invalid session for the user, session is expired.");
  return found;
}
