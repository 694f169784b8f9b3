/** An answer of Cognito's that is an error; AWS's SDKs make an exception of the name. */
export class CognitoFault extends Error {
  override name: string;

  constructor(name: string, message: string) {
    super(message);
    this.name = name;
  }
}

export const notAuthorized = (message = "Incorrect username or password.") =>
  new CognitoFault("NotAuthorizedException", message);

export const invalidParameter = (message: string) =>
  new CognitoFault("InvalidParameterException", message);

export const userNotFound = () => new CognitoFault("UserNotFoundException", "User does not exist.");
