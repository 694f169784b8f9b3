import { admin } from "@balde/api/admin";
import { app } from "@balde/api/app";
import { type ValidatorSchema, schemaOf } from "@balde/api/validators";

export type RouteSchemas = Partial<Record<ValidatorSchema["target"], ValidatorSchema["schema"]>>;

/** What each route of the API reads from query, path and body, by method and path as the gateway writes them. */
export function readRouteSchemas(): Map<string, RouteSchemas> {
  const found = new Map<string, RouteSchemas>();
  for (const { method, path, handler } of [...app.routes, ...admin.routes]) {
    if (method === "ALL") continue;
    const key = `${method} ${path.replace(/:(\w+)/g, "{$1}")}`;
    const told = schemaOf(handler);
    found.set(key, { ...found.get(key), ...(told && { [told.target]: told.schema }) });
  }
  return found;
}
