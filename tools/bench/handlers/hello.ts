import { Hono } from "hono/tiny";

import "../../../packages/api/src/light-fetch.ts";
import { type Bindings, serve } from "../../../packages/api/src/rest-event.ts";

/** A Hono app behind our adapter that does nothing; its other routes return the event, for a direct call with the same one. */
const app = new Hono<{ Bindings: Bindings }>()
  .get("/v1/images", (c) => c.json({ hello: "world" }))
  .get("*", (c) => c.json(c.env.event));

export const handler = serve(app);
