import { CognitoError, invalidParameter, notAuthorized, userNotFound } from "./cognito-error.ts";
import { assertWritable, readableAttributes } from "./attribute-permissions.ts";
import { mfaSettingsOf } from "./totp-actions.ts";
import type { Client } from "./user-pool.ts";
import {
  type Action,
  type Input,
  type ActionContext,
  countedName,
  deliveryTo,
  parseAttributes,
  checkSecretHash,
  clientOf,
  userOfAccessToken,
  requiredText,
  toAttributeList,
} from "./action.ts";

/** Actions of users on their own accounts; none is signed. */
export const userActions: Record<string, Action> = {
  SignUp(input, context) {
    const client = clientOf(input, context);
    const name = requiredText(input, "Username");
    checkSecretHash(client, name, secretHash(input));
    if (client.pool.onlyAdminsCreate)
      throw notAuthorized("SignUp is not permitted for this user pool");
    const attributes = parseAttributes(input.UserAttributes);
    assertWritable(client, attributes);
    const password = requiredText(input, "Password");
    const user = context.users.create(client.pool, name, attributes, "UNCONFIRMED", password);
    const sent = client.pool.verifiedBySignUp.length > 0;
    return {
      UserConfirmed: false,
      UserSub: user.attributes.sub,
      ...(sent && {
        CodeDeliveryDetails: context.deliver(
          user,
          context.users.createCode(client.pool, user, "sign-up"),
        ),
      }),
    };
  },

  ConfirmSignUp(input, context) {
    const { client, user } = findUser(input, context);
    if (user.status !== "UNCONFIRMED")
      throw notAuthorized(`User cannot be confirmed. Current status is ${user.status}`);
    context.users.redeemCode(client.pool, user, "sign-up", requiredText(input, "ConfirmationCode"));
    const { email } = user.attributes;
    if (email !== undefined && client.pool.verifiedBySignUp.includes("email"))
      context.users.assertEmailIsFree(client.pool, user, email);
    const verified = client.pool.verifiedBySignUp.map((name) => [`${name}_verified`, "true"]);
    context.users.save(client.pool, {
      ...user,
      status: "CONFIRMED",
      attributes: { ...user.attributes, ...Object.fromEntries(verified) },
    });
    return {};
  },

  ResendConfirmationCode(input, context) {
    const { client, name, user } = findNamed(input, context);
    if (!user?.enabled && client.hidesUnknownUsers) return simulateDelivery(client, name, context);
    if (!user) throw userNotFound();
    if (user.status !== "UNCONFIRMED") throw invalidParameter("User is already confirmed.");
    const code = context.users.createCode(client.pool, user, "sign-up");
    return { CodeDeliveryDetails: context.deliver(user, code) };
  },

  ForgotPassword(input, context) {
    const { client, name, user } = findNamed(input, context);
    context.failedAttempts.countCodeAttempt(client.pool, countedName(client.pool, name, user));
    const isReachable = user?.enabled === true && user.attributes.email_verified === "true";
    if (!isReachable && client.hidesUnknownUsers) return simulateDelivery(client, name, context);
    if (!user) throw userNotFound();
    if (!user.enabled) throw notAuthorized("User is disabled.");
    if (!isReachable)
      throw invalidParameter(
        "Cannot reset password for the user as there is no registered/verified email or phone_number",
      );
    const code = context.users.createCode(client.pool, user, "password");
    return { CodeDeliveryDetails: context.deliver(user, code) };
  },

  ConfirmForgotPassword(input, context) {
    const { client, name, user } = findNamed(input, context);
    context.failedAttempts.countCodeAttempt(client.pool, countedName(client.pool, name, user));
    if (!user?.enabled && client.hidesUnknownUsers) throw codeMismatch();
    if (!user) throw userNotFound();
    if (!user.enabled) throw notAuthorized("User is disabled.");
    context.users.redeemCode(
      client.pool,
      user,
      "password",
      requiredText(input, "ConfirmationCode"),
    );
    context.users.setPassword(client.pool, user, requiredText(input, "Password"), "CONFIRMED");
    return {};
  },

  async GetUser(input, context) {
    const { client, user } = await userOfAccessToken(input, context);
    return {
      Username: user.username,
      UserAttributes: toAttributeList(readableAttributes(client, user.attributes)),
      ...mfaSettingsOf(user),
    };
  },

  async ChangePassword(input, context) {
    const { pool, user } = await userOfAccessToken(input, context);
    if (!context.users.hasPassword(pool, user, requiredText(input, "PreviousPassword")))
      throw notAuthorized();
    context.users.setPassword(pool, user, requiredText(input, "ProposedPassword"), "CONFIRMED");
    return {};
  },

  async GlobalSignOut(input, context) {
    const { pool, user } = await userOfAccessToken(input, context);
    context.issuer.revokeAll(pool, user);
    return {};
  },

  async DeleteUser(input, context) {
    const { pool, user } = await userOfAccessToken(input, context);
    context.removeUser(pool, user);
    return {};
  },
};

const secretHash = ({ SecretHash }: Input) =>
  typeof SecretHash === "string" ? SecretHash : undefined;

function findNamed(input: Input, context: ActionContext) {
  const client: Client = clientOf(input, context);
  const name = requiredText(input, "Username");
  checkSecretHash(client, name, secretHash(input));
  return { client, name, user: context.users.find(client.pool, name) };
}

function findUser(input: Input, context: ActionContext) {
  const { client, user } = findNamed(input, context);
  if (user) return { client, user };
  throw client.hidesUnknownUsers ? codeMismatch() : userNotFound();
}

/** AWS's error if the client must not learn which users exist. */
const codeMismatch = () =>
  new CognitoError(
    "CodeMismatchException",
    "Invalid verification code provided, please try again.",
  );

/** Returns the answer to a request for a code that nothing sends. */
const simulateDelivery = (client: Client, name: string, { unknownUsers }: ActionContext) => ({
  CodeDeliveryDetails: deliveryTo(unknownUsers.addressOf(client, name)),
});
