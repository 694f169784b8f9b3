/** An error response; AWS's SDKs throw an exception of this name. */
export class CognitoError extends Error {
  override name: string;

  constructor(name: string, message: string) {
    super(message);
    this.name = name;
  }
}

export const notAuthorized = (message = "Incorrect username or password.") =>
  new CognitoError("NotAuthorizedException", message);

export const invalidParameter = (message: string) =>
  new CognitoError("InvalidParameterException", message);

export const userNotFound = () => new CognitoError("UserNotFoundException", "User does not exist.");
