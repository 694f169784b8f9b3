import {
  type KeyObject,
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  randomBytes,
  randomUUID,
} from "node:crypto";
import type { DatabaseSync } from "node:sqlite";

import { SignJWT } from "jose";

import type { Clock } from "../clock.ts";
import { readableAttributes } from "./attribute-permissions.ts";
import { createVerifier } from "./token-verifier.ts";
import { notAuthorized } from "./cognito-error.ts";
import type { Client, Pool } from "./user-pool.ts";
import type { User } from "./users.ts";

/** The scope of a sign-in without the hosted pages. */
const OWN_SCOPE = "aws.cognito.signin.user.admin";

export type Tokens = {
  IdToken: string;
  AccessToken: string;
  RefreshToken?: string;
  ExpiresIn: number;
  TokenType: "Bearer";
};

export type Grant = {
  username: string;
  clientId: string;
  originId: string;
  authTime: number;
};

type IssueOptions = {
  scope?: string | undefined;
  ageSeconds?: number | undefined;
  /** Instead of the client's token validity. */
  validSeconds?: number | undefined;
};

export type Issuer = ReturnType<typeof createIssuer>;

/** Signs tokens with the key of the data folder and stores the hashes of refresh tokens. */
export function createIssuer(db: DatabaseSync, pools: Map<string, Pool>, clock: Clock) {
  db.exec(`CREATE TABLE IF NOT EXISTS identity_refresh_tokens (
    hash TEXT PRIMARY KEY, pool TEXT NOT NULL, username TEXT NOT NULL, client TEXT NOT NULL,
    origin TEXT NOT NULL, auth_time INTEGER NOT NULL, expires INTEGER NOT NULL
  ) STRICT`);
  const remember = db.prepare("INSERT INTO identity_refresh_tokens VALUES (?, ?, ?, ?, ?, ?, ?)");
  const recall = db.prepare("SELECT * FROM identity_refresh_tokens WHERE hash = ?");
  const origin = db.prepare("SELECT 1 FROM identity_refresh_tokens WHERE origin = ? AND pool = ?");
  const forget = db.prepare("DELETE FROM identity_refresh_tokens WHERE hash = ?");
  const forgetAll = db.prepare(
    "DELETE FROM identity_refresh_tokens WHERE pool = ? AND username = ?",
  );
  const key = openKey(db);
  const verifiers = new Map(
    [...pools.values()].map((pool) => [
      pool.id,
      createVerifier(
        {
          issuer: pool.issuer,
          keyId: key.id,
          publicKey: key.public,
          clients: new Set(pool.clients.keys()),
        },
        clock,
      ),
    ]),
  );

  async function sign(client: Client, user: User, grant: Grant, options: IssueOptions = {}) {
    const { scope = OWN_SCOPE, ageSeconds = 0, validSeconds } = options;
    const now = Math.floor(clock.now() / 1000) - ageSeconds;
    const common = {
      sub: user.attributes.sub,
      origin_jti: grant.originId,
      event_id: randomUUID(),
      auth_time: grant.authTime,
      ...(user.groups.length > 0 && { "cognito:groups": user.groups }),
    };
    const jwt = (claims: object, seconds: number) =>
      new SignJWT({ ...claims })
        .setProtectedHeader({ alg: "RS256", kid: key.id })
        .setIssuer(client.pool.issuer)
        .setIssuedAt(now)
        .setExpirationTime(now + seconds)
        .setJti(randomUUID())
        .sign(key.private);
    const [IdToken, AccessToken] = await Promise.all([
      jwt(
        {
          ...common,
          ...idAttributes(readableAttributes(client, user.attributes)),
          aud: client.id,
          token_use: "id",
          "cognito:username": user.username,
        },
        validSeconds ?? client.validitySeconds.id,
      ),
      jwt(
        { ...common, client_id: client.id, token_use: "access", scope, username: user.username },
        validSeconds ?? client.validitySeconds.access,
      ),
    ]);
    return {
      IdToken,
      AccessToken,
      ExpiresIn: client.validitySeconds.access,
      TokenType: "Bearer" as const,
    };
  }

  return {
    jwks: { keys: [key.jwk] },

    verify: (token: string, pool: Pool) => verifiers.get(pool.id)!(token),

    /** Returns the three tokens of a new session. */
    async issue(client: Client, user: User, options: IssueOptions = {}): Promise<Tokens> {
      const now = clock.now();
      const grant = {
        username: user.username,
        clientId: client.id,
        originId: randomUUID(),
        authTime: Math.floor(now / 1000),
      };
      const refresh = randomBytes(64).toString("base64url");
      remember.run(
        digest(refresh),
        client.pool.id,
        user.username,
        client.id,
        grant.originId,
        grant.authTime,
        now + client.validitySeconds.refresh * 1000,
      );
      return { ...(await sign(client, user, grant, options)), RefreshToken: refresh };
    },

    /** Returns new ID and access tokens; the refresh token stays valid. */
    renew: (client: Client, user: User, grant: Grant): Promise<Tokens> => sign(client, user, grant),

    redeem(client: Client, token: string): Grant {
      const row = recall.get(digest(token));
      if (!row || row.client !== client.id) throw notAuthorized("Invalid Refresh Token");
      if (Number(row.expires) < clock.now()) throw notAuthorized("Refresh Token has expired");
      return {
        username: String(row.username),
        clientId: client.id,
        originId: String(row.origin),
        authTime: Number(row.auth_time),
      };
    },

    /** Whether the session of an access token is not revoked. Cognito asks this, API Gateway does not. */
    isLive: (pool: Pool, originId: unknown) => origin.get(String(originId), pool.id) !== undefined,

    revoke: (token: string) => void forget.run(digest(token)),
    revokeAll: (pool: Pool, user: User) => void forgetAll.run(pool.id, user.username),
  };
}

/** Attributes as claims: Cognito stores text, but two of them are booleans in a token. */
function idAttributes(attributes: Record<string, string>) {
  const { sub: _, ...rest } = attributes;
  return Object.fromEntries(
    Object.entries(rest).map(([name, value]) => [
      name,
      name === "email_verified" || name === "phone_number_verified" ? value === "true" : value,
    ]),
  );
}

const digest = (token: string) => createHash("sha256").update(token).digest("base64");

/** Creates the key once per data folder, so that no key in the repository can sign a valid token. */
function openKey(db: DatabaseSync) {
  db.exec(
    "CREATE TABLE IF NOT EXISTS identity_key (id TEXT PRIMARY KEY, pem TEXT NOT NULL) STRICT",
  );
  const select = db.prepare("SELECT id, pem FROM identity_key");
  if (!select.get()) {
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const pem = privateKey.export({ type: "pkcs8", format: "pem" });
    db.prepare("INSERT INTO identity_key VALUES (?, ?)").run(randomUUID(), pem);
  }
  const row = select.get() as { id: string; pem: string };
  const privateKey: KeyObject = createPrivateKey(row.pem);
  const publicKey = createPublicKey(privateKey);
  return {
    id: row.id,
    private: privateKey,
    public: publicKey,
    jwk: { ...publicKey.export({ format: "jwk" }), kid: row.id, alg: "RS256", use: "sig" },
  };
}
