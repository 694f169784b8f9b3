import { engine } from "../../packages/images/src/engine.ts";

export const handler = async () => typeof (await engine());
