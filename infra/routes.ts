import type { ThrottleName } from "./settings.ts";

/** The routes that functions answer, as data: api.ts creates them, a test prints them. */
export type Route = {
  method: "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE";
  path: string;
  to: "ApiHandler" | "Deliver" | "Admin";
  /** `user`: Cognito's ID token. `key`: an API key of a usage plan (usage-plans.ts). `operator`: an IAM signature. */
  auth: "anyone" | "user" | "key" | "operator";
  /** Of settings.ts, if not the limit of every method. */
  throttle?: ThrottleName;
};

const publicRead = (path: string): Route => ({
  method: "GET",
  path,
  to: "ApiHandler",
  auth: "anyone",
});
const ofUser = (method: Route["method"], path: string): Route => ({
  method,
  path,
  to: "ApiHandler",
  auth: "user",
});
const metered = (path: string): Route => ({ ...publicRead(path), auth: "key" });
const forOperator = (method: Route["method"], path: string): Route => ({
  method,
  path,
  to: "Admin",
  auth: "operator",
});
const deliver = (path: string): Route[] =>
  (["GET", "HEAD"] as const).map((method) => ({
    method,
    path,
    to: "Deliver",
    auth: "anyone",
    throttle: "deliver",
  }));

export const routes: Route[] = [
  ...deliver("/i/{id}"),
  // the second part may be a preset instead: a path has one variable at each place, and deliver distinguishes them
  ...deliver("/i/{id}/{rev}"),
  ...deliver("/i/{id}/{rev}/{preset}"),

  publicRead("/openapi.json"),
  publicRead("/docs"),

  publicRead("/v1/images"),
  { ...ofUser("POST", "/v1/images"), throttle: "upload" },
  publicRead("/v1/images/{id}"),
  ofUser("PATCH", "/v1/images/{id}"),
  ofUser("DELETE", "/v1/images/{id}"),
  { ...ofUser("POST", "/v1/images/{id}/urls"), throttle: "sign" },
  ofUser("PUT", "/v1/images/{id}/like"),
  ofUser("DELETE", "/v1/images/{id}/like"),
  publicRead("/v1/images/{id}/likes"),

  { ...ofUser("POST", "/v1/uploads"), throttle: "upload" },
  ofUser("GET", "/v1/uploads/{id}"),
  ofUser("DELETE", "/v1/uploads/{id}"),
  ofUser("POST", "/v1/uploads/{id}/form"),
  { ...ofUser("POST", "/v1/uploads/{id}/parts"), throttle: "sign" },
  ofUser("POST", "/v1/uploads/{id}/complete"),

  ofUser("GET", "/v1/me"),
  ofUser("DELETE", "/v1/me"),
  ofUser("GET", "/v1/me/usage"),
  ofUser("GET", "/v1/me/images"),
  ofUser("GET", "/v1/me/images/{id}"),
  ofUser("GET", "/v1/me/likes"),

  metered("/partner/v1/images"),
  metered("/partner/v1/images/{id}"),

  forOperator("GET", "/admin/v1/state"),
  forOperator("POST", "/admin/v1/redrive"),
  forOperator("POST", "/admin/v1/reprocess"),
  forOperator("DELETE", "/admin/v1/images/{imageId}"),
  forOperator("DELETE", "/admin/v1/users/{userId}"),
];

/** Returns the name of a route in resource names: `GetV1ImagesId` for `GET /v1/images/{id}`. */
export const nameOf = ({ method, path }: { method: string; path: string }) =>
  [method.toLowerCase(), ...path.split(/[^A-Za-z0-9]+/)]
    .filter(Boolean)
    .map((word) => word[0]!.toUpperCase() + word.slice(1))
    .join("");
