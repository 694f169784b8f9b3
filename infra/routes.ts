/** The routes that a function answers, as data: api.ts makes them, a test prints them. */
export type Route = {
  method: "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE";
  path: string;
  to: "ApiHandler" | "Deliver" | "Admin";
  /** `user`: Cognito's ID token. `key`: an API key of a usage plan (partners.ts). `operator`: a signature of IAM. */
  auth: "anyone" | "user" | "key" | "operator";
};

const read = (path: string): Route => ({ method: "GET", path, to: "ApiHandler", auth: "anyone" });
const own = (method: Route["method"], path: string): Route => ({
  method,
  path,
  to: "ApiHandler",
  auth: "user",
});
const metered = (path: string): Route => ({ ...read(path), auth: "key" });
const operate = (method: Route["method"], path: string): Route => ({
  method,
  path,
  to: "Admin",
  auth: "operator",
});
const deliver = (path: string): Route[] =>
  (["GET", "HEAD"] as const).map((method) => ({ method, path, to: "Deliver", auth: "anyone" }));

export const routes: Route[] = [
  ...deliver("/i/{id}"),
  // the second part may also be a preset: a path has one variable at each place, and deliver tells them apart
  ...deliver("/i/{id}/{rev}"),
  ...deliver("/i/{id}/{rev}/{preset}"),

  read("/openapi.json"),
  read("/docs"),

  read("/v1/images"),
  own("POST", "/v1/images"),
  read("/v1/images/{id}"),
  own("PATCH", "/v1/images/{id}"),
  own("DELETE", "/v1/images/{id}"),
  own("POST", "/v1/images/{id}/urls"),
  own("PUT", "/v1/images/{id}/like"),
  own("DELETE", "/v1/images/{id}/like"),
  read("/v1/images/{id}/likes"),

  own("POST", "/v1/uploads"),
  own("GET", "/v1/uploads/{id}"),

  own("GET", "/v1/me"),
  own("GET", "/v1/me/images"),
  own("GET", "/v1/me/images/{id}"),
  own("GET", "/v1/me/likes"),

  metered("/partner/v1/images"),
  metered("/partner/v1/images/{id}"),

  operate("GET", "/admin/v1/state"),
  operate("POST", "/admin/v1/redrive"),
  operate("POST", "/admin/v1/reprocess"),
];

/** `GET /v1/images/{id}` is `GetV1ImagesId` in resource names. */
export const nameOf = ({ method, path }: { method: string; path: string }) =>
  [method.toLowerCase(), ...path.split(/[^A-Za-z0-9]+/)]
    .filter(Boolean)
    .map((word) => word[0]!.toUpperCase() + word.slice(1))
    .join("");
