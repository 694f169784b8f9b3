import "./light-fetch.ts";
import { app } from "./app.ts";
import { serve } from "./rest-event.ts";

export const handler = serve(app);
