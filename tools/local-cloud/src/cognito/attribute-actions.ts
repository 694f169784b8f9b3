import { invalidParameter } from "./cognito-error.ts";
import { assertWritable } from "./attribute-permissions.ts";
import {
  type Action,
  type ActionContext,
  parseAttributes,
  requiredText,
  userOfAccessToken,
} from "./action.ts";
import type { Pool } from "./user-pool.ts";
import type { User } from "./users.ts";

/** Actions that change attributes of one's own, and verify a changed address: https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-settings-email-phone-verification.html */
export const attributeActions: Record<string, Action> = {
  async UpdateUserAttributes(input, context) {
    const { pool, client, user } = await userOfAccessToken(input, context);
    const { email, ...changed } = parseAttributes(input.UserAttributes);
    assertWritable(client, { ...changed, ...(email !== undefined && { email }) });
    const attributes = { ...user.attributes, ...changed };
    if (email === undefined || email === user.attributes.email) {
      context.users.save(pool, { ...user, attributes });
      return { CodeDeliveryDetailsList: [] };
    }
    context.users.assertEmailIsFree(pool, user, email);
    const saved = context.users.save(
      pool,
      pool.keepsEmailUntilVerified
        ? { ...user, attributes, pendingEmail: email }
        : { ...user, attributes: { ...attributes, email, email_verified: "false" } },
    );
    const isVerifiedByCode = pool.verifiedBySignUp.includes("email");
    return {
      CodeDeliveryDetailsList: isVerifiedByCode ? [sendCode(pool, saved, context)] : [],
    };
  },

  async GetUserAttributeVerificationCode(input, context) {
    const { pool, user } = await userOfAccessToken(input, context);
    assertEmail(requiredText(input, "AttributeName"));
    return { CodeDeliveryDetails: sendCode(pool, user, context) };
  },

  async VerifyUserAttribute(input, context) {
    const { pool, user } = await userOfAccessToken(input, context);
    assertEmail(requiredText(input, "AttributeName"));
    context.users.redeemCode(pool, user, "attribute", requiredText(input, "Code"));
    const email = user.pendingEmail ?? user.attributes.email ?? "";
    context.users.assertEmailIsFree(pool, user, email);
    context.users.save(pool, {
      ...user,
      pendingEmail: undefined,
      attributes: { ...user.attributes, email, email_verified: "true" },
    });
    return {};
  },
};

function sendCode(pool: Pool, user: User, context: ActionContext) {
  const code = context.users.createCode(pool, user, "attribute");
  return context.deliver(user, code, user.pendingEmail);
}

function assertEmail(name: string) {
  if (name !== "email") throw invalidParameter(`A code for ${name} is not emulated`);
}
