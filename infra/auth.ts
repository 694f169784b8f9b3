import * as Settings from "./settings.ts";

const settings = Settings.ofStage($app.stage);

export const users = new sst.aws.CognitoUserPool("Users", {
  aliases: ["email"],
  transform: {
    userPool: {
      userPoolTier: settings.users.tier,
      userPoolAddOns: { advancedSecurityMode: settings.users.threatProtection },
      mfaConfiguration: settings.users.mfa,
      softwareTokenMfaConfiguration: { enabled: settings.users.mfa === "OPTIONAL" },
      emailConfiguration: sender(settings.users.mail),
      // a mistyped or unowned address must not replace the one that a person signs in with and resets the password by
      userAttributeUpdateSettings: { attributesRequireVerificationBeforeUpdates: ["email"] },
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
      // a list, because without one users may write every standard attribute; nothing here reads the others
      client.writeAttributes = ["email"];
      client.readAttributes = ["email", "email_verified"];
      client.enableTokenRevocation = true;
      client.idTokenValidity = settings.users.tokenMinutes;
      client.accessTokenValidity = settings.users.tokenMinutes;
      client.refreshTokenValidity = settings.users.refreshTokenDays;
      client.tokenValidityUnits = {
        idToken: "minutes",
        accessToken: "minutes",
        refreshToken: "days",
      };
      return undefined;
    },
  },
});

function sender(mail: Settings.Users["mail"]) {
  if (!mail) return { emailSendingAccount: "COGNITO_DEFAULT" };
  return {
    emailSendingAccount: "DEVELOPER",
    fromEmailAddress: mail.from,
    sourceArn: mail.identityArn,
  };
}
