import { readFileSync } from "node:fs";
import { join } from "node:path";

/** A file of the folder `heif`; `make.sh` there says how it was made. */
export const heifSample = (name: string): Buffer =>
  readFileSync(join(import.meta.dirname, "heif", name));
