import { loadSharp } from "../../../packages/imaging/src/load-sharp.ts";

export const handler = async () => typeof (await loadSharp());
