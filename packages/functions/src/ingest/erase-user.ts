import * as Account from "@balde/core/account";
import * as Queue from "@balde/core/queue";
import { Resource } from "sst/resource";

/** Removes what belongs to a user whose account is deleted, some hundred rows at a time: for the rest it sends the command again. */
export async function eraseUser(userId: string): Promise<void> {
  if (await Account.erase(userId)) return;
  await Queue.send(Resource.Sync.url, [{ body: { kind: "eraseUser", userId } }]);
}
