import * as Settings from "./settings.ts";

const settings = Settings.ofStage($app.stage);

export const users = new sst.aws.CognitoUserPool("Users", {
  aliases: ["email"],
  transform: {
    userPool: {
      // removal "retain" covers buckets and tables, not users
      deletionProtection: settings.protect ? "ACTIVE" : "INACTIVE",
      passwordPolicy: {
        minimumLength: 12,
        requireLowercase: true,
        requireUppercase: true,
        requireNumbers: true,
        requireSymbols: false,
        temporaryPasswordValidityDays: 7,
      },
      // SST's default asks for a phone number first
      accountRecoverySetting: { recoveryMechanisms: [{ name: "verified_email", priority: 1 }] },
    },
  },
});

/** For browsers: without a secret, and without the hosted pages that SST switches on (implicit flow, callback to example.com). */
export const webClient = users.addClient("WebClient", {
  transform: {
    client: (client) => {
      client.generateSecret = false;
      client.allowedOauthFlowsUserPoolClient = false;
      delete client.allowedOauthFlows;
      delete client.allowedOauthScopes;
      delete client.callbackUrls;
      client.explicitAuthFlows = [
        "ALLOW_USER_SRP_AUTH",
        "ALLOW_REFRESH_TOKEN_AUTH",
        ...(settings.passwordSignIn ? ["ALLOW_USER_PASSWORD_AUTH"] : []),
      ];
      // "no such user" and "wrong password" must look the same
      client.preventUserExistenceErrors = "ENABLED";
      client.enableTokenRevocation = true;
      // the gateway does not check revocation, so tokens are short-lived
      client.idTokenValidity = 60;
      client.accessTokenValidity = 60;
      client.refreshTokenValidity = 30;
      client.tokenValidityUnits = {
        idToken: "minutes",
        accessToken: "minutes",
        refreshToken: "days",
      };
      return undefined;
    },
  },
});
