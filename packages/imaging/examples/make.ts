import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { examples, made } from "./examples.ts";

// Makes the README's pictures again: node packages/imaging/examples/make.ts

for (const [file, [picture, query]] of Object.entries(examples))
  writeFileSync(join(import.meta.dirname, file), await made(picture, query));
