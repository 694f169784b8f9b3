import { Hono } from "hono/tiny";

import { identify } from "./auth.ts";
import { cors } from "./cors.ts";
import { type Env, notFound, onError } from "./http.ts";
import { docs } from "./routes/docs.ts";
import { images, metered } from "./routes/images.ts";
import { me } from "./routes/me.ts";
import { uploads } from "./routes/uploads.ts";

/** Its type is the contract that the typed client is computed from. */
export type App = typeof app;

export const app = new Hono<Env>()
  .onError(onError)
  .notFound(notFound)
  .use(cors)
  .use(identify)
  .route("/", docs)
  .route("/v1/images", images)
  .route("/v1/uploads", uploads)
  .route("/v1/me", me)
  .route("/partner/v1", metered);
