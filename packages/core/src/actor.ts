import { AsyncLocalStorage } from "node:async_hooks";

import { VisibleError } from "./error.ts";

export type User = { type: "user"; id: string; name?: string; email?: string };
export type Actor = User | { type: "public" };

const storage = new AsyncLocalStorage<Actor>();

/** The result of `body`, run with `actor` as the identity of the caller, also in everything that it awaits. */
export const runAs = <Result>(actor: Actor, body: () => Result): Result => storage.run(actor, body);

/**
 * The signed-in user that the current call acts for.
 *
 * @throws actor.unauthenticated
 */
export function requireUser(): User {
  const actor = storage.getStore();
  if (actor?.type !== "user") throw unauthenticated();
  return actor;
}

const unauthenticated = () =>
  new VisibleError("unauthenticated", "actor.unauthenticated", "Sign in first");
