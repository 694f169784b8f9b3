import { invalidParameter, notAuthorized } from "./cognito-error.ts";
import type { Client } from "./user-pool.ts";

/** https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-settings-attributes.html#cognito-user-pools-standard-attributes */
const STANDARD_ATTRIBUTES = new Set([
  "address",
  "birthdate",
  "email",
  "family_name",
  "gender",
  "given_name",
  "locale",
  "middle_name",
  "name",
  "nickname",
  "phone_number",
  "picture",
  "preferred_username",
  "profile",
  "updated_at",
  "website",
  "zoneinfo",
]);

/** Only a code or an administrator decides whether an address is verified. */
const VERIFICATION_STATUS = new Set(["email_verified", "phone_number_verified"]);

/** @throws CognitoError InvalidParameterException for an attribute that no user can have. Custom attributes are not emulated. */
export function assertKnownAttributes(attributes: Record<string, string>): void {
  for (const name of Object.keys(attributes)) {
    if (name === "sub") throw invalidParameter("Cannot modify the non-mutable attribute sub");
    if (!STANDARD_ATTRIBUTES.has(name) && !VERIFICATION_STATUS.has(name))
      throw invalidParameter(
        `Attributes did not conform to the schema: ${name}: Attribute does not exist in the schema.`,
      );
  }
}

/**
 * @throws CognitoError NotAuthorizedException for an attribute that the client may not write; without a list in the graph a
 * client may write all standard ones. The message is the one that AWS sends at sign-up [V-WILD]:
 * https://github.com/aws/aws-sdk-js/issues/3603
 */
export function assertWritable(client: Client, attributes: Record<string, string>): void {
  for (const name of Object.keys(attributes))
    if (VERIFICATION_STATUS.has(name) || client.writable?.has(name) === false)
      throw notAuthorized("A client attempted to write unauthorized attribute");
}

/** Returns the attributes that the client may read; `sub` always. */
export const readableAttributes = (
  { readable }: Client,
  attributes: Record<string, string>,
): Record<string, string> =>
  Object.fromEntries(
    Object.entries(attributes).filter(([name]) => name === "sub" || readable?.has(name) !== false),
  );
