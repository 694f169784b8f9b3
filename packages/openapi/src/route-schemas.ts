import { admin } from "@balde/api/admin";
import { app } from "@balde/api/app";
import { type Told, tells } from "@balde/api/validators";

export type Doors = Partial<Record<Told["target"], Told["schema"]>>;

/** What each route of the API reads from query, path and body, by method and path as the gateway writes them. */
export function doors(): Map<string, Doors> {
  const found = new Map<string, Doors>();
  for (const { method, path, handler } of [...app.routes, ...admin.routes]) {
    if (method === "ALL") continue;
    const key = `${method} ${path.replace(/:(\w+)/g, "{$1}")}`;
    const told = tells(handler);
    found.set(key, { ...found.get(key), ...(told && { [told.target]: told.schema }) });
  }
  return found;
}
