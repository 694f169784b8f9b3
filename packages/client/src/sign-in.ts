import { ProblemError } from "./problem.ts";

export type Credentials = {
  /** `https://cognito-idp.{region}.amazonaws.com/`, or the `cognito.endpoint` of `.balde/local.json`. */
  endpoint: string;
  clientId: string;
  username: string;
  password: string;
};

export type Tokens = {
  /** The token for `createClient`. */
  idToken: string;
  accessToken: string;
  refreshToken: string | undefined;
  expiresAt: Date;
};

/**
 * Signs in with Cognito's password flow and returns the tokens: for the laptop, tests and scripts. It sends the password to
 * Cognito, and a production stage rejects it; a front end uses SRP, as `aws-amplify` and `amazon-cognito-identity-js` do.
 * @throws ProblemError with the code `cognito.…`, such as `cognito.NotAuthorizedException` for a wrong password
 */
export async function signIn({
  endpoint,
  clientId,
  username,
  password,
}: Credentials): Promise<Tokens> {
  const response = await fetch(endpoint, {
    method: "POST",
    headers: {
      "content-type": "application/x-amz-json-1.1",
      "x-amz-target": "AWSCognitoIdentityProviderService.InitiateAuth",
    },
    body: JSON.stringify({
      AuthFlow: "USER_PASSWORD_AUTH",
      ClientId: clientId,
      AuthParameters: { USERNAME: username, PASSWORD: password },
    }),
  });
  const body = (await response.json()) as CognitoResponse;
  if (!body.AuthenticationResult) throw cognitoError(response, body);
  const { IdToken, AccessToken, RefreshToken, ExpiresIn } = body.AuthenticationResult;
  return {
    idToken: IdToken,
    accessToken: AccessToken,
    refreshToken: RefreshToken,
    expiresAt: new Date(Date.now() + ExpiresIn * 1000),
  };
}

type CognitoResponse = {
  AuthenticationResult?: {
    IdToken: string;
    AccessToken: string;
    RefreshToken?: string;
    ExpiresIn: number;
  };
  /** What Cognito asks for before it signs in, such as a new password. */
  ChallengeName?: string;
  __type?: string;
  message?: string;
};

/** The error with Cognito's name for it: `NotAuthorizedException` becomes the code `cognito.NotAuthorizedException`. */
function cognitoError(response: Response, { ChallengeName, __type, message }: CognitoResponse) {
  const name = ChallengeName ?? __type?.split("#").at(-1) ?? "unknown";
  return new ProblemError({
    code: `cognito.${name}`,
    status: response.ok ? 401 : response.status,
    title: "Signing in failed",
    detail: message ?? `Cognito asks for ${name} before it signs in`,
    requestId: response.headers.get("x-amzn-requestid") ?? undefined,
  });
}
