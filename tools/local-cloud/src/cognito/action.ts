import { createHmac, timingSafeEqual } from "node:crypto";

import { CognitoFault, invalidParameter, notAuthorized } from "./cognito-error.ts";
import type { Issuer } from "./token-issuer.ts";
import type { Client, Pool } from "./user-pool.ts";
import type { User, Users } from "./users.ts";

/** What the actions of Cognito work on. */
export type World = {
  pools: Map<string, Pool>;
  users: Users;
  issuer: Issuer;
  now: () => number;
  /** Tells a person a code; the laptop sends no mail. */
  deliver: (user: User, code: string) => Delivery;
};

type Delivery = { AttributeName: string; DeliveryMedium: string; Destination: string };

/** The JSON of a request; the fields that an action reads are checked by `text`. */
export type Input = Record<string, unknown>;

export type Action = (input: Input, world: World) => object | Promise<object>;

export function text(input: Input, name: string): string {
  const value = input[name];
  if (typeof value === "string" && value !== "") return value;
  throw invalidParameter(`Missing required parameter ${name}`);
}

export function record(input: Input, name: string): Record<string, string> {
  const value = input[name] ?? {};
  if (typeof value !== "object" || Array.isArray(value)) throw invalidParameter(`Invalid ${name}`);
  return value as Record<string, string>;
}

/** `[{ Name, Value }]`, as Cognito writes attributes. */
export function attributesOf(list: unknown): Record<string, string> {
  if (list === undefined || list === null) return {};
  if (!Array.isArray(list)) throw invalidParameter("Attributes are a list of Name and Value");
  const attributes: Record<string, string> = {};
  for (const { Name, Value } of list) {
    if (Name === "sub") throw invalidParameter("Cannot modify the non-mutable attribute sub");
    attributes[String(Name)] = String(Value ?? "");
  }
  return attributes;
}

export const toList = (attributes: Record<string, string>) =>
  Object.entries(attributes).map(([Name, Value]) => ({ Name, Value }));

export function poolOf(input: Input, { pools }: World): Pool {
  const pool = pools.get(text(input, "UserPoolId"));
  if (pool) return pool;
  throw new CognitoFault(
    "ResourceNotFoundException",
    `User pool ${String(input.UserPoolId)} does not exist.`,
  );
}

export function clientOf(input: Input, { pools }: World): Client {
  const id = text(input, "ClientId");
  for (const { clients } of pools.values()) {
    const client = clients.get(id);
    if (client) return client;
  }
  throw new CognitoFault("ResourceNotFoundException", `User pool client ${id} does not exist.`);
}

/** A client with a secret proves with each call that it has it. https://docs.aws.amazon.com/cognito/latest/developerguide/signing-up-users-in-your-app.html#cognito-user-pools-computing-secret-hash */
export function checkSecretHash(client: Client, username: string, given: string | undefined) {
  if (client.secret === undefined) return;
  const expected = createHmac("sha256", client.secret)
    .update(username + client.id)
    .digest();
  const actual = Buffer.from(given ?? "", "base64");
  if (actual.length !== expected.length || !timingSafeEqual(actual, expected))
    throw notAuthorized(`Unable to verify secret hash for client ${client.id}`);
}

/** The person an access token belongs to. */
export async function ownerOf(input: Input, world: World): Promise<{ pool: Pool; user: User }> {
  const token = text(input, "AccessToken");
  for (const pool of world.pools.values()) {
    const verified = await world.issuer.verify(token, pool);
    if ("reason" in verified) {
      if (verified.reason === "expired") throw notAuthorized("Access Token has expired");
      continue;
    }
    const { token_use, origin_jti, username } = verified.claims;
    if (token_use !== "access") break;
    if (!world.issuer.isLive(pool, origin_jti))
      throw notAuthorized("Access Token has been revoked");
    const user = world.users.find(pool, String(username));
    if (!user) throw new CognitoFault("UserNotFoundException", "User does not exist.");
    if (!user.enabled) throw notAuthorized("User is disabled.");
    return { pool, user };
  }
  throw notAuthorized("Invalid Access Token");
}
