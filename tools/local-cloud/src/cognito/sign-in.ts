import { createHash, randomBytes, randomUUID } from "node:crypto";

import { CognitoError, invalidParameter, notAuthorized, userNotFound } from "./cognito-error.ts";
import type { Client } from "./user-pool.ts";
import {
  type Action,
  type Input,
  type ActionContext,
  checkSecretHash,
  clientOf,
  poolOf,
  optionalRecord,
  requiredText,
} from "./action.ts";
import * as Srp from "./srp.ts";
import { type User, poolName } from "./users.ts";

/** Challenges that await their response, by session. In memory: they expire after three minutes, and a restart ends them. */
const pendingChallenges = new Map<string, PendingChallenge>();

type PendingChallenge = {
  username: string;
  client: string;
  until: number;
  startSrp?: Srp.Challenge | undefined;
};

const CHALLENGE_MS = 3 * 60_000;

export const signInActions: Record<string, Action> = {
  InitiateAuth: (input, context) =>
    initiateAuth(input, clientOf(input, context), context, "USER_PASSWORD_AUTH"),

  AdminInitiateAuth: (input, context) => {
    poolOf(input, context);
    return initiateAuth(input, clientOf(input, context), context, "ADMIN_USER_PASSWORD_AUTH");
  },

  RespondToAuthChallenge: respondToChallenge,
  AdminRespondToAuthChallenge: respondToChallenge,

  async GetTokensFromRefreshToken(input, context) {
    const client = clientOf(input, context);
    return refreshTokens(client, requiredText(input, "RefreshToken"), context);
  },

  RevokeToken(input, context) {
    const client = clientOf(input, context);
    const token = requiredText(input, "Token");
    context.issuer.redeem(client, token);
    context.issuer.revoke(token);
    return {};
  },
};

function initiateAuth(input: Input, client: Client, context: ActionContext, passwordFlow: string) {
  const flow = requiredText(input, "AuthFlow");
  const parameters = optionalRecord(input, "AuthParameters");
  switch (flow) {
    case passwordFlow:
      assertFlowEnabled(client, flow, `ALLOW_${flow}`);
      return signInByPassword(client, parameters, context);
    case "USER_SRP_AUTH":
      assertFlowEnabled(client, flow, "ALLOW_USER_SRP_AUTH");
      return srp(client, parameters, context);
    case "REFRESH_TOKEN":
    case "REFRESH_TOKEN_AUTH":
      assertFlowEnabled(client, flow, "ALLOW_REFRESH_TOKEN_AUTH");
      return refreshTokens(client, parameters.REFRESH_TOKEN ?? "", context);
    default:
      throw invalidParameter(`${flow} is not emulated`);
  }
}

function assertFlowEnabled({ flows }: Client, flow: string, name: string) {
  // the names without ALLOW_ are older names of the same flows
  if (!flows.has(name) && !flows.has(name.replace("ALLOW_", "")))
    throw invalidParameter(`${flow} flow not enabled for this client`);
}

async function signInByPassword(
  client: Client,
  parameters: Record<string, string>,
  context: ActionContext,
) {
  const name = requiredText(parameters, "USERNAME");
  checkSecretHash(client, name, parameters.SECRET_HASH);
  const user = context.users.find(client.pool, name);
  if (!user) throw client.hidesUnknownUsers ? notAuthorized() : userNotFound();
  const isRight = context.users.hasPassword(
    client.pool,
    user,
    requiredText(parameters, "PASSWORD"),
  );
  if (!isRight) throw notAuthorized();
  return completeSignIn(client, user, context);
}

/** Returns tokens after a correct password, or the challenge that the user's status asks for. */
async function completeSignIn(client: Client, user: User, context: ActionContext) {
  if (!user.enabled) throw notAuthorized("User is disabled.");
  if (user.status === "UNCONFIRMED")
    throw new CognitoError("UserNotConfirmedException", "User is not confirmed.");
  if (user.status === "RESET_REQUIRED")
    throw new CognitoError(
      "PasswordResetRequiredException",
      "Password reset required for the user",
    );
  if (user.status === "FORCE_CHANGE_PASSWORD") return requestNewPassword(client, user, context);
  return {
    ChallengeParameters: {},
    AuthenticationResult: await context.issuer.issue(client, user),
  };
}

function requestNewPassword(client: Client, user: User, context: ActionContext) {
  const expires = user.modifiedAt + client.pool.passwords.temporaryDays * 86_400_000;
  if (expires < context.now())
    throw notAuthorized("Temporary password has expired and must be reset by an administrator.");
  const { sub: _, ...userAttributes } = user.attributes;
  return {
    ChallengeName: "NEW_PASSWORD_REQUIRED",
    Session: openSession(client, user.username, context),
    ChallengeParameters: {
      USER_ID_FOR_SRP: user.username,
      requiredAttributes: "[]",
      userAttributes: JSON.stringify(userAttributes),
    },
  };
}

function srp(client: Client, parameters: Record<string, string>, context: ActionContext) {
  const name = requiredText(parameters, "USERNAME");
  checkSecretHash(client, name, parameters.SECRET_HASH);
  const user = context.users.find(client.pool, name);
  if (!user && !client.hidesUnknownUsers) throw userNotFound();
  const username = user?.username ?? name;
  // an unknown user gets a challenge too, which no password solves
  const secret = user?.secret ?? secretOfUnknownUser(client, name);
  const challenge = Srp.createChallenge(
    poolName(client.pool),
    username,
    requiredText(parameters, "SRP_A"),
    secret,
  );
  if (!challenge) throw invalidParameter("SRP_A is not a valid public value");
  const block = randomBytes(512).toString("base64");
  storeChallenge(block, client, username, context, user && challenge);
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

// the same salt each time: a second request must not reveal that the user does not exist
function secretOfUnknownUser(client: Client, name: string): Srp.Secret {
  const salt = createHash("sha256").update(`${client.id} ${name}`).digest("hex").slice(0, 32);
  return { salt, verifier: randomBytes(128).toString("hex") };
}

async function respondToChallenge(input: Input, context: ActionContext) {
  const client = clientOf(input, context);
  const responses = optionalRecord(input, "ChallengeResponses");
  switch (requiredText(input, "ChallengeName")) {
    case "PASSWORD_VERIFIER": {
      const block = requiredText(responses, "PASSWORD_CLAIM_SECRET_BLOCK");
      const { username, startSrp: srp } = takeChallenge(block, client, context);
      checkSecretHash(client, username, responses.SECRET_HASH);
      const isRight = srp?.check({
        signature: requiredText(responses, "PASSWORD_CLAIM_SIGNATURE"),
        timestamp: requiredText(responses, "TIMESTAMP"),
        secretBlock: Buffer.from(block, "base64"),
      });
      const user = context.users.find(client.pool, username);
      if (!user || !isRight) throw notAuthorized();
      return completeSignIn(client, user, context);
    }
    case "NEW_PASSWORD_REQUIRED": {
      const { username } = takeChallenge(requiredText(input, "Session"), client, context);
      const user = context.users.find(client.pool, username);
      if (!user) throw userNotFound();
      const password = requiredText(responses, "NEW_PASSWORD");
      return completeSignIn(
        client,
        context.users.setPassword(client.pool, user, password, "CONFIRMED"),
        context,
      );
    }
    default:
      throw invalidParameter(`The challenge ${String(input.ChallengeName)} is not emulated`);
  }
}

async function refreshTokens(client: Client, token: string, context: ActionContext) {
  const grant = context.issuer.redeem(client, token);
  const user = context.users.find(client.pool, grant.username);
  if (!user) throw userNotFound();
  if (!user.enabled) throw notAuthorized("User is disabled.");
  return {
    ChallengeParameters: {},
    AuthenticationResult: await context.issuer.renew(client, user, grant),
  };
}

function openSession(client: Client, username: string, context: ActionContext): string {
  const session = randomUUID() + randomBytes(32).toString("base64url");
  storeChallenge(session, client, username, context);
  return session;
}

function storeChallenge(
  session: string,
  client: Client,
  username: string,
  context: ActionContext,
  srp?: Srp.Challenge,
) {
  for (const [key, { until }] of pendingChallenges) {
    if (until > context.now()) break;
    pendingChallenges.delete(key);
  }
  pendingChallenges.set(session, {
    username,
    client: client.id,
    until: context.now() + CHALLENGE_MS,
    startSrp: srp,
  });
}

/** Returns a challenge and removes it: a session can be used once. */
function takeChallenge(session: string, client: Client, context: ActionContext): PendingChallenge {
  const found = pendingChallenges.get(session);
  pendingChallenges.delete(session);
  if (!found || found.client !== client.id) throw notAuthorized("Invalid session for the user.");
  if (found.until < context.now())
    throw notAuthorized("Invalid session for the user, session is expired.");
  return found;
}
