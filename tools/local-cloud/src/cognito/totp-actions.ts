import { CognitoError, invalidParameter, notAuthorized } from "./cognito-error.ts";
import {
  type Action,
  type ActionContext,
  type Input,
  poolOf,
  requiredText,
  userOfAccessToken,
} from "./action.ts";
import * as Totp from "./totp.ts";
import type { Pool } from "./user-pool.ts";
import type { User } from "./users.ts";

/** Actions of users on their own authenticator: https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-settings-mfa-totp.html */
export const totpActions: Record<string, Action> = {
  async AssociateSoftwareToken(input, context) {
    const { pool, user } = await userOfAccessToken(input, context);
    assertTotpEnabled(pool);
    const secret = Totp.createSecret();
    // until the new secret is verified, the old one stays in use
    context.users.save(pool, { ...user, pendingTotpSecret: secret });
    return { SecretCode: secret };
  },

  async VerifySoftwareToken(input, context) {
    const { pool, user } = await userOfAccessToken(input, context);
    assertTotpEnabled(pool);
    const secret = user.pendingTotpSecret;
    if (!secret) throw invalidParameter("User has no software token to verify");
    const step = Totp.stepOf(secret, requiredText(input, "UserCode"), context.now());
    if (step === undefined)
      throw new CognitoError("EnableSoftwareTokenMFAException", "Code mismatch");
    context.users.save(pool, {
      ...user,
      pendingTotpSecret: undefined,
      totp: {
        secret,
        isVerified: true,
        isPreferred: user.totp?.isPreferred ?? false,
        usedStep: step,
      },
    });
    return { Status: "SUCCESS" };
  },

  async SetUserMFAPreference(input, context) {
    const { pool, user } = await userOfAccessToken(input, context);
    return setPreference(pool, user, input, context);
  },
};

/** Actions of operators, signed. */
export const totpAdminActions: Record<string, Action> = {
  AdminSetUserMFAPreference(input, context) {
    const pool = poolOf(input, context);
    const user = context.users.find(pool, requiredText(input, "Username"));
    if (!user) throw new CognitoError("UserNotFoundException", "User does not exist.");
    return setPreference(pool, user, input, context);
  },
};

/** Returns the fields of `GetUser` that say which factors a user has. */
export const mfaSettingsOf = ({ totp }: User) =>
  totp?.isPreferred
    ? { UserMFASettingList: ["SOFTWARE_TOKEN_MFA"], PreferredMfaSetting: "SOFTWARE_TOKEN_MFA" }
    : {};

/** Whether a sign-in of this user needs a code after the password. */
export const needsTotp = (pool: Pool, { totp }: User) =>
  pool.hasTotp && totp?.isVerified === true && totp.isPreferred;

/**
 * Accepts the code of a sign-in, each step's once.
 *
 * @throws CognitoError CodeMismatchException, or ExpiredCodeException for a code that was used
 */
export function redeemTotp(pool: Pool, user: User, code: string, context: ActionContext): void {
  const { totp } = user;
  if (!totp?.isVerified) throw notAuthorized("Invalid session for the user.");
  const step = Totp.stepOf(totp.secret, code, context.now());
  if (step === undefined)
    throw new CognitoError("CodeMismatchException", "Invalid code received for user");
  if (step <= totp.usedStep)
    throw new CognitoError(
      "ExpiredCodeException",
      "Your software token has already been used once.",
    );
  context.users.save(pool, { ...user, totp: { ...totp, usedStep: step } });
}

function setPreference(pool: Pool, user: User, input: Input, context: ActionContext) {
  for (const other of ["SMSMfaSettings", "EmailMfaSettings", "WebAuthnMfaSettings"])
    if (input[other] !== undefined) throw invalidParameter(`${other} is not emulated`);
  const settings = input.SoftwareTokenMfaSettings as
    | { Enabled?: boolean; PreferredMfa?: boolean }
    | undefined;
  if (!settings) return {};
  assertTotpEnabled(pool);
  const isPreferred = settings.Enabled === true || settings.PreferredMfa === true;
  if (isPreferred && !user.totp?.isVerified)
    throw invalidParameter("User has not verified software token mfa");
  if (user.totp) context.users.save(pool, { ...user, totp: { ...user.totp, isPreferred } });
  return {};
}

function assertTotpEnabled(pool: Pool) {
  if (!pool.hasTotp)
    throw new CognitoError(
      "SoftwareTokenMFANotFoundException",
      "Software Token MFA is not enabled by the userPool",
    );
}
