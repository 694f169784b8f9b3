import * as z from "zod/mini";

import {
  ignored,
  object,
  only,
  optionalBoolean,
  optionalNumber,
  optionalString,
  optionalStrings,
  requiredOneOf,
  resourceType,
} from "./properties.ts";

const PRINTED = "a code is printed in the log; nothing is sent by mail or SMS";
const HOSTED_UI =
  "SST sets it for every client; it is of the sign-in page that AWS hosts, which does not exist here";

const unit = z.optional(requiredOneOf("seconds", "minutes", "hours", "days"));

export const cognito = {
  "aws:cognito/userPool:UserPool": resourceType(
    {
      adminCreateUserConfig: z.optional(
        object({
          allowAdminCreateUserOnly: optionalBoolean,
          inviteMessageTemplate: ignored(PRINTED),
        }),
      ),
      aliasAttributes: optionalStrings,
      autoVerifiedAttributes: optionalStrings,
      // with "ON" a user without an authenticator would have to set one up while signing in
      mfaConfiguration: only("OFF", "OPTIONAL"),
      passwordPolicy: z.optional(
        object({
          minimumLength: optionalNumber,
          requireLowercase: optionalBoolean,
          requireNumbers: optionalBoolean,
          requireSymbols: optionalBoolean,
          requireUppercase: optionalBoolean,
          temporaryPasswordValidityDays: optionalNumber,
        }),
      ),
      usernameAttributes: optionalStrings,
      usernameConfiguration: z.optional(object({ caseSensitive: optionalBoolean })),
      softwareTokenMfaConfiguration: z.optional(object({ enabled: z.boolean() })),
      userAttributeUpdateSettings: z.optional(
        object({
          attributesRequireVerificationBeforeUpdates: z.optional(z.array(requiredOneOf("email"))),
        }),
      ),
      userPoolAddOns: ignored("AWS learns from the sign-ins of all its customers what is a threat"),
      accountRecoverySetting: ignored(PRINTED),
      deletionProtection: ignored("about the removal of a deployment"),
      emailConfiguration: ignored(PRINTED),
      emailVerificationMessage: ignored(PRINTED),
      emailVerificationSubject: ignored(PRINTED),
      smsAuthenticationMessage: ignored(PRINTED),
      smsConfiguration: ignored(PRINTED),
      smsVerificationMessage: ignored(PRINTED),
      userPoolTier: ignored("a price"),
      verificationMessageTemplate: z.optional(
        object({
          // with a link instead of a code there would be a page to host
          defaultEmailOption: only("CONFIRM_WITH_CODE"),
          emailMessage: ignored(PRINTED),
          emailMessageByLink: ignored(PRINTED),
          emailSubject: ignored(PRINTED),
          emailSubjectByLink: ignored(PRINTED),
          smsMessage: ignored(PRINTED),
        }),
      ),
    },
    { arn: optionalString },
  ),
  "aws:cognito/userPoolClient:UserPoolClient": resourceType(
    {
      userPoolId: z.string(),
      accessTokenValidity: optionalNumber,
      explicitAuthFlows: optionalStrings,
      generateSecret: optionalBoolean,
      idTokenValidity: optionalNumber,
      preventUserExistenceErrors: z.optional(requiredOneOf("ENABLED", "LEGACY")),
      readAttributes: optionalStrings,
      refreshTokenValidity: optionalNumber,
      supportedIdentityProviders: z.optional(z.array(requiredOneOf("COGNITO"))),
      tokenValidityUnits: z.optional(
        object({ accessToken: unit, idToken: unit, refreshToken: unit }),
      ),
      writeAttributes: optionalStrings,
      authSessionValidity: only(3),
      allowedOauthFlows: ignored(HOSTED_UI),
      allowedOauthFlowsUserPoolClient: ignored(HOSTED_UI),
      allowedOauthScopes: ignored(HOSTED_UI),
      callbackUrls: ignored(HOSTED_UI),
      defaultRedirectUri: ignored(HOSTED_UI),
      enableTokenRevocation: ignored("a refresh token can always be revoked"),
      logoutUrls: ignored(HOSTED_UI),
    },
    { clientSecret: optionalString },
  ),
  "aws:cognito/userGroup:UserGroup": resourceType(
    {
      name: z.string(),
      userPoolId: z.string(),
      precedence: ignored("it chooses among the groups' roles, which are not emulated"),
    },
    {},
  ),
};
