import { Hono } from "hono/tiny";

import { provideActor } from "./auth.ts";
import { cors } from "./cors.ts";
import { type Env, answerInTime, notFound, onError } from "./http.ts";
import { docs } from "./routes/docs.ts";
import { images, partnerReads } from "./routes/images.ts";
import { me } from "./routes/me.ts";
import { uploads } from "./routes/uploads.ts";

/** The typed client is computed from this type. */
export type App = typeof app;

export const app = new Hono<Env>()
  .onError(onError)
  .notFound(notFound)
  .use(cors)
  .use(answerInTime)
  .use(provideActor)
  .route("/", docs)
  .route("/v1/images", images)
  .route("/v1/uploads", uploads)
  .route("/v1/me", me)
  .route("/partner/v1", partnerReads);
