import * as Settings from "./settings.ts";

const { limits: ofUser, ingestSlots } = Settings.ofStage($app.stage);

/** What one user may have and do: the API and ingest compare it with the user's row (packages/core/src/usage.ts). */
export const limits = new sst.Linkable("Limits", { properties: { ...ofUser, ingestSlots } });
