import "./light-fetch.ts";
import { admin } from "./admin.ts";
import { serve } from "./rest-event.ts";

export const handler = serve(admin);
