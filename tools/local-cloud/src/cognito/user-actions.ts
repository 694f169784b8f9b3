import { CognitoFault, invalidParameter, notAuthorized, userNotFound } from "./cognito-error.ts";
import type { Client } from "./user-pool.ts";
import {
  type Action,
  type Input,
  type World,
  attributesOf,
  checkSecretHash,
  clientOf,
  ownerOf,
  text,
  toList,
} from "./action.ts";

/** What people do with their own accounts. */
export const account: Record<string, Action> = {
  SignUp(input, world) {
    const client = clientOf(input, world);
    const name = text(input, "Username");
    checkSecretHash(client, name, secretHash(input));
    if (client.pool.onlyAdminsCreate)
      throw notAuthorized("SignUp is not permitted for this user pool");
    const attributes = attributesOf(input.UserAttributes);
    const password = text(input, "Password");
    const user = world.users.create(client.pool, name, attributes, "UNCONFIRMED", password);
    const sent = client.pool.verifiedBySignUp.length > 0;
    return {
      UserConfirmed: false,
      UserSub: user.attributes.sub,
      ...(sent && {
        CodeDeliveryDetails: world.deliver(
          user,
          world.users.makeCode(client.pool, user, "sign-up"),
        ),
      }),
    };
  },

  ConfirmSignUp(input, world) {
    const { client, user } = named(input, world);
    if (user.status !== "UNCONFIRMED")
      throw notAuthorized(`User cannot be confirmed. Current status is ${user.status}`);
    world.users.useCode(client.pool, user, "sign-up", text(input, "ConfirmationCode"));
    const verified = client.pool.verifiedBySignUp.map((name) => [`${name}_verified`, "true"]);
    world.users.save(client.pool, {
      ...user,
      status: "CONFIRMED",
      attributes: { ...user.attributes, ...Object.fromEntries(verified) },
    });
    return {};
  },

  ResendConfirmationCode(input, world) {
    const { client, user } = named(input, world);
    if (user.status !== "UNCONFIRMED") throw invalidParameter("User is already confirmed.");
    const code = world.users.makeCode(client.pool, user, "sign-up");
    return { CodeDeliveryDetails: world.deliver(user, code) };
  },

  ForgotPassword(input, world) {
    const { client, user } = named(input, world);
    if (!user.enabled) throw notAuthorized("User is disabled.");
    if (user.attributes.email_verified !== "true")
      throw invalidParameter(
        "Cannot reset password for the user as there is no registered/verified email or phone_number",
      );
    const code = world.users.makeCode(client.pool, user, "password");
    return { CodeDeliveryDetails: world.deliver(user, code) };
  },

  ConfirmForgotPassword(input, world) {
    const { client, user } = named(input, world);
    world.users.useCode(client.pool, user, "password", text(input, "ConfirmationCode"));
    world.users.setPassword(client.pool, user, text(input, "Password"), "CONFIRMED");
    return {};
  },

  async GetUser(input, world) {
    const { user } = await ownerOf(input, world);
    return { Username: user.username, UserAttributes: toList(user.attributes) };
  },

  async UpdateUserAttributes(input, world) {
    const { pool, user } = await ownerOf(input, world);
    const changed = attributesOf(input.UserAttributes);
    // a new address is not verified, whatever the request says
    if ("email" in changed) changed.email_verified = "false";
    world.users.save(pool, { ...user, attributes: { ...user.attributes, ...changed } });
    return { CodeDeliveryDetailsList: [] };
  },

  async ChangePassword(input, world) {
    const { pool, user } = await ownerOf(input, world);
    if (!world.users.knows(pool, user, text(input, "PreviousPassword"))) throw notAuthorized();
    world.users.setPassword(pool, user, text(input, "ProposedPassword"), "CONFIRMED");
    return {};
  },

  async GlobalSignOut(input, world) {
    const { pool, user } = await ownerOf(input, world);
    world.issuer.revokeAll(pool, user);
    return {};
  },

  async DeleteUser(input, world) {
    const { pool, user } = await ownerOf(input, world);
    world.issuer.revokeAll(pool, user);
    world.users.remove(pool, user);
    return {};
  },
};

const secretHash = ({ SecretHash }: Input) =>
  typeof SecretHash === "string" ? SecretHash : undefined;

function named(input: Input, world: World) {
  const client: Client = clientOf(input, world);
  const name = text(input, "Username");
  checkSecretHash(client, name, secretHash(input));
  const user = world.users.find(client.pool, name);
  if (user) return { client, user };
  // the words that AWS uses when it must not tell who exists
  throw client.hidesUsers
    ? new CognitoFault(
        "CodeMismatchException",
        "Invalid verification code provided, please try again.",
      )
    : userNotFound();
}
