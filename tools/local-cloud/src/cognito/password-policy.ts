import { CognitoError } from "./cognito-error.ts";
import type { PasswordPolicy } from "./user-pool.ts";

/** @throws CognitoError InvalidPasswordException with AWS's reason. */
export function checkPassword(password: string, policy: PasswordPolicy): void {
  const reason = violationOf(password, policy);
  if (reason)
    throw new CognitoError(
      "InvalidPasswordException",
      `Password did not conform with policy: ${reason}`,
    );
}

function violationOf(password: string, policy: PasswordPolicy): string | undefined {
  if (password.length < policy.minimumLength) return "Password not long enough";
  if (policy.requireLowercase && !/[a-z]/.test(password))
    return "Password must have lowercase characters";
  if (policy.requireUppercase && !/[A-Z]/.test(password))
    return "Password must have uppercase characters";
  if (policy.requireNumbers && !/[0-9]/.test(password))
    return "Password must have numeric characters";
  if (policy.requireSymbols && !/[\^$*.[\]{}()?"!@#%&/\\,><':;|_~`=+\- ]/.test(password))
    return "Password must have symbol characters";
  return undefined;
}
