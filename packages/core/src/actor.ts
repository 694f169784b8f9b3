import { AsyncLocalStorage } from "node:async_hooks";

import { VisibleError } from "./error.ts";

export type User = { type: "user"; id: string; name?: string; email?: string };
export type Actor = User | { type: "public" };

const storage = new AsyncLocalStorage<Actor>();

/** Everything that `body` does, it does in the name of `actor`. */
export const provide = <Result>(actor: Actor, body: () => Result) => storage.run(actor, body);

/** The person who is signed in; for verbs that nobody else may use. */
export function user(): User {
  const actor = storage.getStore();
  if (actor?.type !== "user") throw unauthenticated();
  return actor;
}

const unauthenticated = () =>
  new VisibleError("unauthenticated", "actor.unauthenticated", "Sign in first");
