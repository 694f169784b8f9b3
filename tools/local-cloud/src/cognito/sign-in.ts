import { randomBytes, randomUUID } from "node:crypto";

import { CognitoError, invalidParameter, notAuthorized, userNotFound } from "./cognito-error.ts";
import type { Client } from "./user-pool.ts";
import {
  type Action,
  type Input,
  type ActionContext,
  checkSecretHash,
  countedName,
  clientOf,
  poolOf,
  optionalRecord,
  requiredText,
} from "./action.ts";
import * as Srp from "./srp.ts";
import { needsTotp, redeemTotp } from "./totp-actions.ts";
import { type User, poolName } from "./users.ts";

/** Challenges that await their response, by session. In memory: they expire after three minutes, and a restart ends them. */
const pendingChallenges = new Map<string, PendingChallenge>();

type PendingChallenge = {
  username: string;
  client: string;
  until: number;
  /** The name under which failures are counted. */
  countedName: string;
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
  const password = requiredText(parameters, "PASSWORD");
  const user = context.users.find(client.pool, name);
  if (!user && !client.hidesUnknownUsers) throw userNotFound();
  const counted = countedName(client.pool, name, user);
  context.failedAttempts.assertNotLockedOut(client.pool, counted);
  if (!user || !context.users.hasPassword(client.pool, user, password))
    throw failSignIn(client, counted, context);
  return afterPassword(client, user, context);
}

function failSignIn({ pool }: Client, counted: string, { failedAttempts }: ActionContext) {
  failedAttempts.countFailedSignIn(pool, counted);
  return notAuthorized();
}

/** Returns tokens after a correct password, or the challenge that the user's status or authenticator asks for. */
function afterPassword(client: Client, user: User, context: ActionContext) {
  assertMaySignIn(user);
  if (user.status === "FORCE_CHANGE_PASSWORD") return requestNewPassword(client, user, context);
  if (!needsTotp(client.pool, user)) return completeSignIn(client, user, context);
  return {
    ChallengeName: "SOFTWARE_TOKEN_MFA",
    Session: openSession(client, user.username, context),
    ChallengeParameters: { USER_ID_FOR_SRP: user.username },
  };
}

function assertMaySignIn(user: User) {
  if (!user.enabled) throw notAuthorized("User is disabled.");
  if (user.status === "UNCONFIRMED")
    throw new CognitoError("UserNotConfirmedException", "User is not confirmed.");
  if (user.status === "RESET_REQUIRED")
    throw new CognitoError(
      "PasswordResetRequiredException",
      "Password reset required for the user",
    );
}

async function completeSignIn(client: Client, user: User, context: ActionContext) {
  context.failedAttempts.forgetFailedSignIns(client.pool, user.username);
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
  // an unknown user gets a challenge too, which no password solves
  const username = user?.username ?? context.unknownUsers.usernameOf(client, name);
  const secret = user?.secret ?? context.unknownUsers.secretOf(client, name);
  const challenge = Srp.createChallenge(
    poolName(client.pool),
    username,
    requiredText(parameters, "SRP_A"),
    secret,
  );
  if (!challenge) throw invalidParameter("SRP_A is not a valid public value");
  const block = randomBytes(512).toString("base64");
  storeChallenge(
    block,
    {
      username,
      client: client.id,
      countedName: countedName(client.pool, name, user),
      startSrp: user && challenge,
    },
    context,
  );
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

async function respondToChallenge(input: Input, context: ActionContext) {
  const client = clientOf(input, context);
  const responses = optionalRecord(input, "ChallengeResponses");
  switch (requiredText(input, "ChallengeName")) {
    case "PASSWORD_VERIFIER": {
      const block = requiredText(responses, "PASSWORD_CLAIM_SECRET_BLOCK");
      const { username, startSrp, countedName: counted } = takeChallenge(block, client, context);
      checkSecretHash(client, username, responses.SECRET_HASH);
      context.failedAttempts.assertNotLockedOut(client.pool, counted);
      const isRight = startSrp?.check({
        signature: requiredText(responses, "PASSWORD_CLAIM_SIGNATURE"),
        timestamp: requiredText(responses, "TIMESTAMP"),
        secretBlock: Buffer.from(block, "base64"),
      });
      const user = context.users.find(client.pool, username);
      if (!user || !isRight) throw failSignIn(client, counted, context);
      return afterPassword(client, user, context);
    }
    case "SOFTWARE_TOKEN_MFA": {
      const session = requiredText(input, "Session");
      // kept until a code is right, so that a person may try again [V-WILD]
      const { username } = findChallenge(session, client, context);
      const user = context.users.find(client.pool, username);
      if (!user) throw userNotFound();
      context.failedAttempts.assertNotLockedOut(client.pool, username);
      try {
        redeemTotp(client.pool, user, requiredText(responses, "SOFTWARE_TOKEN_MFA_CODE"), context);
      } catch (error) {
        // https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-settings-mfa.html
        context.failedAttempts.countFailedSignIn(client.pool, username);
        throw error;
      }
      pendingChallenges.delete(session);
      return completeSignIn(client, user, context);
    }
    case "NEW_PASSWORD_REQUIRED": {
      const { username } = takeChallenge(requiredText(input, "Session"), client, context);
      const user = context.users.find(client.pool, username);
      if (!user) throw userNotFound();
      const password = requiredText(responses, "NEW_PASSWORD");
      return afterPassword(
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
  storeChallenge(session, { username, client: client.id, countedName: username }, context);
  return session;
}

function storeChallenge(
  session: string,
  challenge: Omit<PendingChallenge, "until">,
  context: ActionContext,
) {
  for (const [key, { until }] of pendingChallenges) {
    if (until > context.now()) break;
    pendingChallenges.delete(key);
  }
  pendingChallenges.set(session, { ...challenge, until: context.now() + CHALLENGE_MS });
}

/** Returns a challenge and removes it: a session can be used once. */
function takeChallenge(session: string, client: Client, context: ActionContext): PendingChallenge {
  try {
    return findChallenge(session, client, context);
  } finally {
    pendingChallenges.delete(session);
  }
}

function findChallenge(session: string, client: Client, context: ActionContext): PendingChallenge {
  const found = pendingChallenges.get(session);
  if (!found || found.client !== client.id) throw notAuthorized("Invalid session for the user.");
  if (found.until < context.now())
    throw notAuthorized("Invalid session for the user, session is expired.");
  return found;
}
