import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { examples, renderExample } from "./examples.ts";

// Renders the pictures of the README again: npx pnpm exec node packages/imaging/examples/make.ts

for (const [file, [image, query]] of Object.entries(examples))
  writeFileSync(join(import.meta.dirname, file), await renderExample(image, query));
