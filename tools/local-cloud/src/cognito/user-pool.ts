import { type Resource, type ResourceGraph, resourcesOf } from "../graph/resource-graph.ts";

/** A user pool of the graph with its clients. */
export type Pool = {
  id: string;
  name: string;
  arn: string;
  issuer: string;
  clients: Map<string, Client>;
  /** With what a user signs in instead of a user name, which is then generated. */
  usernameAttributes: string[];
  /** With what a user may sign in too, once it is verified. */
  aliasAttributes: string[];
  verifiedBySignUp: string[];
  caseSensitive: boolean;
  onlyAdminsCreate: boolean;
  passwords: PasswordPolicy;
  groups: Set<string>;
  mfa: "OFF" | "OPTIONAL";
  /** Users may add an authenticator app. */
  hasTotp: boolean;
  /** A changed address replaces the old one only after it is verified. */
  keepsEmailUntilVerified: boolean;
};

export type Client = {
  id: string;
  name: string;
  pool: Pool;
  secret: string | undefined;
  flows: Set<string>;
  validitySeconds: { id: number; access: number; refresh: number };
  hidesUnknownUsers: boolean;
  /** The attributes that users may change through this client; undefined: all standard ones. */
  writable: Set<string> | undefined;
  /** The attributes that this client sees; undefined: all. */
  readable: Set<string> | undefined;
};

export type PasswordPolicy = {
  minimumLength: number;
  requireLowercase: boolean;
  requireUppercase: boolean;
  requireNumbers: boolean;
  requireSymbols: boolean;
  temporaryDays: number;
};

/** Returns the user pools of the graph by id. */
export function readPools(graph: ResourceGraph): Map<string, Pool> {
  const pools = resourcesOf(graph, "aws:cognito/userPool:UserPool").map((resource) =>
    readPool(resource, graph),
  );
  return new Map(pools.map((pool) => [pool.id, pool]));
}

function readPool(
  { id, name, inputs, outputs }: Resource<"aws:cognito/userPool:UserPool">,
  graph: ResourceGraph,
): Pool {
  const pool: Pool = {
    id,
    name: inputs.name ?? name,
    arn: outputs.arn ?? `arn:aws:cognito-idp:${graph.region}:${graph.account}:userpool/${id}`,
    issuer: `https://cognito-idp.${graph.region}.amazonaws.com/${id}`,
    clients: new Map(),
    usernameAttributes: inputs.usernameAttributes ?? [],
    aliasAttributes: inputs.aliasAttributes ?? [],
    verifiedBySignUp: inputs.autoVerifiedAttributes ?? [],
    caseSensitive: inputs.usernameConfiguration?.caseSensitive ?? false,
    onlyAdminsCreate: inputs.adminCreateUserConfig?.allowAdminCreateUserOnly ?? false,
    passwords: readPolicy(inputs.passwordPolicy),
    groups: new Set(
      resourcesOf(graph, "aws:cognito/userGroup:UserGroup")
        .filter((group) => group.inputs.userPoolId === id)
        .map((group) => group.inputs.name),
    ),
    mfa: inputs.mfaConfiguration ?? "OFF",
    hasTotp:
      inputs.mfaConfiguration === "OPTIONAL" &&
      inputs.softwareTokenMfaConfiguration?.enabled === true,
    keepsEmailUntilVerified:
      inputs.userAttributeUpdateSettings?.attributesRequireVerificationBeforeUpdates?.includes(
        "email",
      ) ?? false,
  };
  for (const client of resourcesOf(graph, "aws:cognito/userPoolClient:UserPoolClient"))
    if (client.inputs.userPoolId === id) pool.clients.set(client.id, readClient(client, pool));
  return pool;
}

// defaults: https://docs.aws.amazon.com/cognito/latest/developerguide/managing-users-passwords.html
const readPolicy = (
  policy: Resource<"aws:cognito/userPool:UserPool">["inputs"]["passwordPolicy"] = {},
): PasswordPolicy => ({
  minimumLength: policy.minimumLength ?? 8,
  requireLowercase: policy.requireLowercase ?? true,
  requireUppercase: policy.requireUppercase ?? true,
  requireNumbers: policy.requireNumbers ?? true,
  requireSymbols: policy.requireSymbols ?? true,
  temporaryDays: policy.temporaryPasswordValidityDays ?? 7,
});

const UNITS: Record<string, number> = { seconds: 1, minutes: 60, hours: 3600, days: 86_400 };

// without explicit flows: SRP, custom and refresh. https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_CreateUserPoolClient.html
const DEFAULT_FLOWS = ["ALLOW_REFRESH_TOKEN_AUTH", "ALLOW_USER_SRP_AUTH", "ALLOW_CUSTOM_AUTH"];

function readClient(
  { id, name, inputs, outputs }: Resource<"aws:cognito/userPoolClient:UserPoolClient">,
  pool: Pool,
): Client {
  const units = inputs.tokenValidityUnits ?? {};
  const seconds = (value: number | undefined, unit: string, fallback: number) =>
    value ? value * UNITS[unit]! : fallback;
  return {
    id,
    name: inputs.name ?? name,
    pool,
    secret: inputs.generateSecret ? outputs.clientSecret : undefined,
    flows: new Set(inputs.explicitAuthFlows ?? DEFAULT_FLOWS),
    validitySeconds: {
      id: seconds(inputs.idTokenValidity, units.idToken ?? "hours", 3600),
      access: seconds(inputs.accessTokenValidity, units.accessToken ?? "hours", 3600),
      refresh: seconds(inputs.refreshTokenValidity, units.refreshToken ?? "days", 30 * 86_400),
    },
    hidesUnknownUsers: inputs.preventUserExistenceErrors === "ENABLED",
    writable: inputs.writeAttributes && new Set(inputs.writeAttributes),
    readable: inputs.readAttributes && new Set(inputs.readAttributes),
  };
}
