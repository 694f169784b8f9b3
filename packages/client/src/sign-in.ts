import { ProblemError } from "./problem.ts";

export type SignIn = {
  /** `https://cognito-idp.{region}.amazonaws.com/`, or the `cognito.endpoint` of `.balde/local.json`. */
  endpoint: string;
  clientId: string;
  username: string;
  password: string;
};

export type Tokens = {
  /** What `createClient` wants as its token. */
  idToken: string;
  accessToken: string;
  refreshToken: string | undefined;
  expiresAt: Date;
};

/**
 * Signs in with Cognito's password flow: for the laptop, tests and scripts. It shows the password to Cognito, and a
 * production stage refuses it; a front end uses SRP, as `aws-amplify` and `amazon-cognito-identity-js` do.
 */
export async function signIn({ endpoint, clientId, username, password }: SignIn): Promise<Tokens> {
  const answer = await fetch(endpoint, {
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
  const body = (await answer.json()) as Answer;
  if (!body.AuthenticationResult) throw refused(answer, body);
  const { IdToken, AccessToken, RefreshToken, ExpiresIn } = body.AuthenticationResult;
  return {
    idToken: IdToken,
    accessToken: AccessToken,
    refreshToken: RefreshToken,
    expiresAt: new Date(Date.now() + ExpiresIn * 1000),
  };
}

type Answer = {
  AuthenticationResult?: {
    IdToken: string;
    AccessToken: string;
    RefreshToken?: string;
    ExpiresIn: number;
  };
  /** Cognito wants something else first, such as a new password. */
  ChallengeName?: string;
  __type?: string;
  message?: string;
};

/** Cognito's `NotAuthorizedException` as `cognito.NotAuthorizedException`. */
function refused(answer: Response, { ChallengeName, __type, message }: Answer) {
  const name = ChallengeName ?? __type?.split("#").at(-1) ?? "unknown";
  return new ProblemError({
    code: `cognito.${name}`,
    status: answer.ok ? 401 : answer.status,
    title: "Signing in failed",
    detail: message ?? `Cognito asks for ${name} first`,
    requestId: answer.headers.get("x-amzn-requestid") ?? undefined,
  });
}
