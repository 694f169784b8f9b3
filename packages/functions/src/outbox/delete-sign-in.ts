import {
  AdminDeleteUserCommand,
  CognitoIdentityProviderClient,
  ListUsersCommand,
  UserNotFoundException,
} from "@aws-sdk/client-cognito-identity-provider";
import { Resource } from "sst/resource";

let cognito: CognitoIdentityProviderClient | undefined;

/** Deletes the user with this `sub` from the user pool, which revokes the refresh tokens. Nothing happens if the pool has no such user. */
export async function deleteSignIn(userId: string): Promise<void> {
  cognito ??= new CognitoIdentityProviderClient();
  const UserPoolId = Resource.Users.id;
  // a user of the pool has a name of its own, which the table does not know:
  // https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_ListUsers.html
  const Filter = `sub = ${JSON.stringify(userId)}`;
  const { Users = [] } = await cognito.send(new ListUsersCommand({ UserPoolId, Filter, Limit: 1 }));
  for (const { Username } of Users)
    try {
      await cognito.send(new AdminDeleteUserCommand({ UserPoolId, Username }));
    } catch (error) {
      if (!(error instanceof UserNotFoundException)) throw error;
    }
}
