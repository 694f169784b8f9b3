import { randomBytes } from "node:crypto";

import { CognitoFault, invalidParameter, userNotFound } from "./cognito-error.ts";
import {
  type Action,
  type Input,
  type World,
  attributesOf,
  poolOf,
  text,
  toList,
} from "./action.ts";
import type { User } from "./users.ts";

/** What operators and functions do; every call is signed. */
export const admin: Record<string, Action> = {
  AdminCreateUser(input, world) {
    const pool = poolOf(input, world);
    const attributes = attributesOf(input.UserAttributes);
    const password = (input.TemporaryPassword as string | undefined) ?? temporaryPassword();
    const name = text(input, "Username");
    const user = world.users.create(pool, name, attributes, "FORCE_CHANGE_PASSWORD", password);
    return { User: shown(user, "Attributes") };
  },

  AdminSetUserPassword(input, world) {
    const { pool, user } = named(input, world);
    const status = input.Permanent === true ? "CONFIRMED" : "FORCE_CHANGE_PASSWORD";
    world.users.setPassword(pool, user, text(input, "Password"), status);
    return {};
  },

  AdminGetUser(input, world) {
    return shown(named(input, world).user, "UserAttributes");
  },

  AdminConfirmSignUp(input, world) {
    const { pool, user } = named(input, world);
    world.users.save(pool, { ...user, status: "CONFIRMED" });
    return {};
  },

  AdminDisableUser(input, world) {
    const { pool, user } = named(input, world);
    world.issuer.revokeAll(pool, user);
    world.users.save(pool, { ...user, enabled: false });
    return {};
  },

  AdminEnableUser(input, world) {
    const { pool, user } = named(input, world);
    world.users.save(pool, { ...user, enabled: true });
    return {};
  },

  AdminDeleteUser(input, world) {
    const { pool, user } = named(input, world);
    world.issuer.revokeAll(pool, user);
    world.users.remove(pool, user);
    return {};
  },

  AdminUpdateUserAttributes(input, world) {
    const { pool, user } = named(input, world);
    const attributes = { ...user.attributes, ...attributesOf(input.UserAttributes) };
    world.users.save(pool, { ...user, attributes });
    return {};
  },

  AdminUserGlobalSignOut(input, world) {
    const { pool, user } = named(input, world);
    world.issuer.revokeAll(pool, user);
    return {};
  },

  AdminAddUserToGroup(input, world) {
    const { pool, user } = named(input, world);
    const group = text(input, "GroupName");
    if (!pool.groups.has(group))
      throw new CognitoFault("ResourceNotFoundException", "Group not found.");
    world.users.save(pool, { ...user, groups: [...new Set([...user.groups, group])] });
    return {};
  },

  AdminRemoveUserFromGroup(input, world) {
    const { pool, user } = named(input, world);
    const group = text(input, "GroupName");
    world.users.save(pool, { ...user, groups: user.groups.filter((name) => name !== group) });
    return {};
  },

  AdminListGroupsForUser(input, world) {
    const { pool, user } = named(input, world);
    return { Groups: user.groups.map((GroupName) => ({ GroupName, UserPoolId: pool.id })) };
  },

  ListUsers(input, world) {
    const pool = poolOf(input, world);
    if (input.Filter !== undefined) throw invalidParameter("Filter is not emulated");
    return { Users: world.users.list(pool).map((user) => shown(user, "Attributes")) };
  },
};

function named(input: Input, world: World) {
  const pool = poolOf(input, world);
  const user = world.users.find(pool, text(input, "Username"));
  if (!user) throw userNotFound();
  return { pool, user };
}

const shown = (user: User, attributes: "Attributes" | "UserAttributes") => ({
  Username: user.username,
  [attributes]: toList(user.attributes),
  UserStatus: user.status,
  Enabled: user.enabled,
  // dates are seconds in this protocol
  UserCreateDate: user.createdAt / 1000,
  UserLastModifiedDate: user.modifiedAt / 1000,
});

// fits every policy
const temporaryPassword = () => `Aa1!${randomBytes(24).toString("base64url")}`;
