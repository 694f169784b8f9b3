import { engine } from "../../../packages/imaging/src/load-sharp.ts";

export const handler = async () => typeof (await engine());
