import { CognitoError, invalidParameter, notAuthorized, userNotFound } from "./cognito-error.ts";
import type { Client } from "./user-pool.ts";
import {
  type Action,
  type Input,
  type ActionContext,
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
    const verified = client.pool.verifiedBySignUp.map((name) => [`${name}_verified`, "true"]);
    context.users.save(client.pool, {
      ...user,
      status: "CONFIRMED",
      attributes: { ...user.attributes, ...Object.fromEntries(verified) },
    });
    return {};
  },

  ResendConfirmationCode(input, context) {
    const { client, user } = findUser(input, context);
    if (user.status !== "UNCONFIRMED") throw invalidParameter("User is already confirmed.");
    const code = context.users.createCode(client.pool, user, "sign-up");
    return { CodeDeliveryDetails: context.deliver(user, code) };
  },

  ForgotPassword(input, context) {
    const { client, user } = findUser(input, context);
    if (!user.enabled) throw notAuthorized("User is disabled.");
    if (user.attributes.email_verified !== "true")
      throw invalidParameter(
        "Cannot reset password for the user as there is no registered/verified email or phone_number",
      );
    const code = context.users.createCode(client.pool, user, "password");
    return { CodeDeliveryDetails: context.deliver(user, code) };
  },

  ConfirmForgotPassword(input, context) {
    const { client, user } = findUser(input, context);
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
    const { user } = await userOfAccessToken(input, context);
    return { Username: user.username, UserAttributes: toAttributeList(user.attributes) };
  },

  async UpdateUserAttributes(input, context) {
    const { pool, user } = await userOfAccessToken(input, context);
    const changed = parseAttributes(input.UserAttributes);
    // a changed address must be verified again, also if the request claims that it is
    if ("email" in changed) changed.email_verified = "false";
    context.users.save(pool, { ...user, attributes: { ...user.attributes, ...changed } });
    return { CodeDeliveryDetailsList: [] };
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
    context.issuer.revokeAll(pool, user);
    context.users.remove(pool, user);
    return {};
  },
};

const secretHash = ({ SecretHash }: Input) =>
  typeof SecretHash === "string" ? SecretHash : undefined;

function findUser(input: Input, context: ActionContext) {
  const client: Client = clientOf(input, context);
  const name = requiredText(input, "Username");
  checkSecretHash(client, name, secretHash(input));
  const user = context.users.find(client.pool, name);
  if (user) return { client, user };
  // AWS's message if the client must not learn which users exist
  throw client.hidesUnknownUsers
    ? new CognitoError(
        "CodeMismatchException",
        "Invalid verification code provided, please try again.",
      )
    : userNotFound();
}
