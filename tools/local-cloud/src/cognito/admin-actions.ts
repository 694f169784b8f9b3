import { randomBytes } from "node:crypto";

import { CognitoError, invalidParameter, userNotFound } from "./cognito-error.ts";
import {
  type Action,
  type Input,
  type ActionContext,
  parseAttributes,
  poolOf,
  requiredText,
  toAttributeList,
} from "./action.ts";
import { mfaSettingsOf } from "./totp-actions.ts";
import type { User } from "./users.ts";

/** Actions of operators and functions; every call is signed. */
export const adminActions: Record<string, Action> = {
  AdminCreateUser(input, context) {
    const pool = poolOf(input, context);
    const attributes = parseAttributes(input.UserAttributes);
    const password = (input.TemporaryPassword as string | undefined) ?? temporaryPassword();
    const name = requiredText(input, "Username");
    const user = context.users.create(pool, name, attributes, "FORCE_CHANGE_PASSWORD", password);
    return { User: describeUser(user, "Attributes") };
  },

  AdminSetUserPassword(input, context) {
    const { pool, user } = findUser(input, context);
    const status = input.Permanent === true ? "CONFIRMED" : "FORCE_CHANGE_PASSWORD";
    context.users.setPassword(pool, user, requiredText(input, "Password"), status);
    return {};
  },

  AdminGetUser(input, context) {
    const { user } = findUser(input, context);
    return { ...describeUser(user, "UserAttributes"), ...mfaSettingsOf(user) };
  },

  AdminConfirmSignUp(input, context) {
    const { pool, user } = findUser(input, context);
    context.users.save(pool, { ...user, status: "CONFIRMED" });
    return {};
  },

  AdminDisableUser(input, context) {
    const { pool, user } = findUser(input, context);
    context.issuer.revokeAll(pool, user);
    context.users.save(pool, { ...user, enabled: false });
    return {};
  },

  AdminEnableUser(input, context) {
    const { pool, user } = findUser(input, context);
    context.users.save(pool, { ...user, enabled: true });
    return {};
  },

  AdminDeleteUser(input, context) {
    const { pool, user } = findUser(input, context);
    context.removeUser(pool, user);
    return {};
  },

  AdminUpdateUserAttributes(input, context) {
    const { pool, user } = findUser(input, context);
    const attributes = { ...user.attributes, ...parseAttributes(input.UserAttributes) };
    context.users.save(pool, { ...user, attributes });
    return {};
  },

  AdminUserGlobalSignOut(input, context) {
    const { pool, user } = findUser(input, context);
    context.issuer.revokeAll(pool, user);
    return {};
  },

  AdminAddUserToGroup(input, context) {
    const { pool, user } = findUser(input, context);
    const group = requiredText(input, "GroupName");
    if (!pool.groups.has(group))
      throw new CognitoError("ResourceNotFoundException", "Group not found.");
    context.users.save(pool, { ...user, groups: [...new Set([...user.groups, group])] });
    return {};
  },

  AdminRemoveUserFromGroup(input, context) {
    const { pool, user } = findUser(input, context);
    const group = requiredText(input, "GroupName");
    context.users.save(pool, { ...user, groups: user.groups.filter((name) => name !== group) });
    return {};
  },

  AdminListGroupsForUser(input, context) {
    const { pool, user } = findUser(input, context);
    return { Groups: user.groups.map((GroupName) => ({ GroupName, UserPoolId: pool.id })) };
  },

  ListUsers(input, context) {
    const pool = poolOf(input, context);
    const isIncluded = parseFilter(input.Filter);
    const users = context.users
      .list(pool)
      .filter(isIncluded)
      .slice(0, Number(input.Limit ?? 60));
    return { Users: users.map((user) => describeUser(user, "Attributes")) };
  },
};

/** The filter of ListUsers: one attribute that equals or begins with a text. https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_ListUsers.html */
function parseFilter(filter: unknown = ""): (user: User) => boolean {
  if (typeof filter !== "string") throw invalidParameter("Filter must be a text");
  if (filter === "") return () => true;
  const [, attribute, operator, text] =
    /^"?([\w:]+)"?\s*(\^?=)\s*"([^"]*)"$/.exec(filter.trim()) ?? [];
  if (!attribute || text === undefined)
    throw invalidParameter(`One or more requested attributes do not exist or are invalid: Filter`);
  return ({ username, attributes }) => {
    const value = { username, ...attributes }[attribute] ?? "";
    return operator === "=" ? value === text : value.startsWith(text);
  };
}

function findUser(input: Input, context: ActionContext) {
  const pool = poolOf(input, context);
  const user = context.users.find(pool, requiredText(input, "Username"));
  if (!user) throw userNotFound();
  return { pool, user };
}

const describeUser = (user: User, attributes: "Attributes" | "UserAttributes") => ({
  Username: user.username,
  [attributes]: toAttributeList(user.attributes),
  UserStatus: user.status,
  Enabled: user.enabled,
  // this protocol has dates in seconds
  UserCreateDate: user.createdAt / 1000,
  UserLastModifiedDate: user.modifiedAt / 1000,
});

// satisfies every password policy
const temporaryPassword = () => `Aa1!${randomBytes(24).toString("base64url")}`;
