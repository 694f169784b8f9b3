import * as Preset from "@balde/imaging/preset";
import { Resource } from "sst/resource";

let read: Preset.Presets | undefined;

/** The presets of this stage, from infra/settings.ts. */
export const presets = (): Preset.Presets => (read ??= Preset.read(Resource.Presets.queries));
