import { type Action, type Input, clientOf, poolOf } from "./action.ts";
import { CognitoError, invalidParameter } from "./cognito-error.ts";
import type { Client, Pool } from "./user-pool.ts";

/** Actions that read the graph's pools and clients; every call is signed. Dates are left out: a graph has none. */
export const describeActions: Record<string, Action> = {
  DescribeUserPool(input, context) {
    const pool = poolOf(input, context);
    const { passwords } = pool;
    return {
      UserPool: {
        ...summaryOf(pool),
        Arn: pool.arn,
        Policies: {
          PasswordPolicy: {
            MinimumLength: passwords.minimumLength,
            RequireLowercase: passwords.requireLowercase,
            RequireUppercase: passwords.requireUppercase,
            RequireNumbers: passwords.requireNumbers,
            RequireSymbols: passwords.requireSymbols,
            TemporaryPasswordValidityDays: passwords.temporaryDays,
          },
        },
        AliasAttributes: pool.aliasAttributes,
        UsernameAttributes: pool.usernameAttributes,
        AutoVerifiedAttributes: pool.verifiedBySignUp,
        UsernameConfiguration: { CaseSensitive: pool.caseSensitive },
        AdminCreateUserConfig: { AllowAdminCreateUserOnly: pool.onlyAdminsCreate },
        MfaConfiguration: pool.mfa,
        EstimatedNumberOfUsers: context.users.list(pool).length,
      },
    };
  },

  DescribeUserPoolClient(input, context) {
    const pool = poolOf(input, context);
    const client = clientOf(input, context);
    if (client.pool !== pool)
      throw new CognitoError(
        "ResourceNotFoundException",
        `User pool client ${client.id} does not exist.`,
      );
    const { id, access, refresh } = client.validitySeconds;
    return {
      UserPoolClient: {
        ...clientSummaryOf(client),
        ...(client.secret !== undefined && { ClientSecret: client.secret }),
        ExplicitAuthFlows: [...client.flows],
        ...(client.writable && { WriteAttributes: [...client.writable] }),
        ...(client.readable && { ReadAttributes: [...client.readable] }),
        PreventUserExistenceErrors: client.hidesUnknownUsers ? "ENABLED" : "LEGACY",
        IdTokenValidity: id,
        AccessTokenValidity: access,
        RefreshTokenValidity: refresh,
        TokenValidityUnits: { IdToken: "seconds", AccessToken: "seconds", RefreshToken: "seconds" },
      },
    };
  },

  ListUserPools(input, { pools }) {
    return { UserPools: firstOf([...pools.values()], input).map(summaryOf) };
  },

  ListUserPoolClients(input, context) {
    const { clients } = poolOf(input, context);
    return { UserPoolClients: firstOf([...clients.values()], input).map(clientSummaryOf) };
  },
};

const summaryOf = ({ id, name }: Pool) => ({ Id: id, Name: name, LambdaConfig: {} });

const clientSummaryOf = ({ id, name, pool }: Client) => ({
  UserPoolId: pool.id,
  ClientId: id,
  ClientName: name,
});

/** A page has 60 entries at most: https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_ListUserPools.html */
function firstOf<Entry>(entries: Entry[], { MaxResults = 60 }: Input): Entry[] {
  const max = Number(MaxResults);
  if (!(Number.isInteger(max) && max >= 1 && max <= 60))
    throw invalidParameter("MaxResults must be an integer from 1 to 60");
  return entries.slice(0, max);
}
