import { createHmac, timingSafeEqual } from "node:crypto";

import { CognitoError, invalidParameter, notAuthorized } from "./cognito-error.ts";
import { assertKnownAttributes } from "./attribute-permissions.ts";
import type { FailedAttempts } from "./failed-attempts.ts";
import type { Issuer } from "./token-issuer.ts";
import type { UnknownUsers } from "./unknown-users.ts";
import type { Client, Pool } from "./user-pool.ts";
import type { User, Users } from "./users.ts";

/** The state that the actions read and change. */
export type ActionContext = {
  pools: Map<string, Pool>;
  users: Users;
  unknownUsers: UnknownUsers;
  failedAttempts: FailedAttempts;
  issuer: Issuer;
  now: () => number;
  /** Ends the sessions of a user and removes it; the call is recorded. */
  removeUser: (pool: Pool, user: User) => void;
  /** Writes a confirmation code to the log instead of sending it by mail, and returns where AWS would send it. */
  deliver: (user: User, code: string, email?: string) => Delivery;
};

/** Where a code was sent, with the address masked. */
export type Delivery = { AttributeName: string; DeliveryMedium: string; Destination: string };

/** The JSON of a request; each action checks the fields that it reads. */
export type Input = Record<string, unknown>;

/** Returns the JSON of the response. */
export type Action = (input: Input, context: ActionContext) => object | Promise<object>;

export function requiredText(input: Input, name: string): string {
  const value = input[name];
  if (typeof value === "string" && value !== "") return value;
  throw invalidParameter(`Missing required parameter ${name}`);
}

export function optionalRecord(input: Input, name: string): Record<string, string> {
  const value = input[name] ?? {};
  if (typeof value !== "object" || Array.isArray(value)) throw invalidParameter(`Invalid ${name}`);
  return value as Record<string, string>;
}

/** Returns Cognito's list of `{ Name, Value }` as an object. @throws CognitoError InvalidParameterException for an attribute that no user can have */
export function parseAttributes(list: unknown): Record<string, string> {
  if (list === undefined || list === null) return {};
  if (!Array.isArray(list))
    throw invalidParameter("Attributes must be a list of objects with Name and Value");
  const attributes: Record<string, string> = {};
  for (const { Name, Value } of list) attributes[String(Name)] = String(Value ?? "");
  assertKnownAttributes(attributes);
  return attributes;
}

export const toAttributeList = (attributes: Record<string, string>) =>
  Object.entries(attributes).map(([Name, Value]) => ({ Name, Value }));

export function poolOf(input: Input, { pools }: ActionContext): Pool {
  const pool = pools.get(requiredText(input, "UserPoolId"));
  if (pool) return pool;
  throw new CognitoError(
    "ResourceNotFoundException",
    `User pool ${String(input.UserPoolId)} does not exist.`,
  );
}

export function clientOf(input: Input, { pools }: ActionContext): Client {
  const id = requiredText(input, "ClientId");
  for (const { clients } of pools.values()) {
    const client = clients.get(id);
    if (client) return client;
  }
  throw new CognitoError("ResourceNotFoundException", `User pool client ${id} does not exist.`);
}

/** @throws CognitoError if the client has a secret and the call does not prove it. https://docs.aws.amazon.com/cognito/latest/developerguide/signing-up-users-in-your-app.html#cognito-user-pools-computing-secret-hash */
export function checkSecretHash(client: Client, username: string, given: string | undefined) {
  if (client.secret === undefined) return;
  const expected = createHmac("sha256", client.secret)
    .update(username + client.id)
    .digest();
  const actual = Buffer.from(given ?? "", "base64");
  if (actual.length !== expected.length || !timingSafeEqual(actual, expected))
    throw notAuthorized(`Unable to verify secret hash for client ${client.id}`);
}

/** Returns the masked address of a delivery by mail: `a***@e***`. */
export const deliveryTo = (email: string): Delivery => ({
  AttributeName: "email",
  DeliveryMedium: "EMAIL",
  Destination: email.replace(/^(.)[^@]*@(.).*$/, "$1***@$2***"),
});

/** Returns the name under which the attempts of a user, or of a name that no user has, are counted. */
export const countedName = (pool: Pool, name: string, user: User | undefined): string =>
  user?.username ?? (pool.caseSensitive ? name : name.toLowerCase());

/** Returns the user of an access token, and the client that it was issued to. @throws CognitoError if the token is expired, revoked or not valid. */
export async function userOfAccessToken(
  input: Input,
  context: ActionContext,
): Promise<{ pool: Pool; client: Client; user: User }> {
  const token = requiredText(input, "AccessToken");
  for (const pool of context.pools.values()) {
    const verified = await context.issuer.verify(token, pool);
    if ("reason" in verified) {
      if (verified.reason === "expired") throw notAuthorized("Access Token has expired");
      continue;
    }
    const { token_use, origin_jti, username, client_id } = verified.claims;
    const client = pool.clients.get(String(client_id));
    if (token_use !== "access" || !client) break;
    if (!context.issuer.isLive(pool, origin_jti))
      throw notAuthorized("Access Token has been revoked");
    const user = context.users.find(pool, String(username));
    if (!user) throw new CognitoError("UserNotFoundException", "User does not exist.");
    if (!user.enabled) throw notAuthorized("User is disabled.");
    return { pool, client, user };
  }
  throw notAuthorized("Invalid Access Token");
}
