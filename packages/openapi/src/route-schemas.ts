import { admin } from "@balde/api/admin";
import { app } from "@balde/api/app";
import { type ValidatorSchema, schemaOf } from "@balde/api/validators";

export type RouteSchemas = Partial<Record<ValidatorSchema["target"], ValidatorSchema["schema"]>>;

/** The schemas of the validators of each route, by method and path as in the gateway. */
export function readRouteSchemas(): Map<string, RouteSchemas> {
  const found = new Map<string, RouteSchemas>();
  for (const { method, path, handler } of [...app.routes, ...admin.routes]) {
    if (method === "ALL") continue;
    const key = `${method} ${path.replace(/:(\w+)/g, "{$1}")}`;
    const validator = schemaOf(handler);
    found.set(key, {
      ...found.get(key),
      ...(validator && { [validator.target]: validator.schema }),
    });
  }
  return found;
}
