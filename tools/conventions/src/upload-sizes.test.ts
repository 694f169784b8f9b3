import { expect, test } from "vitest";

import { createClient } from "../../../packages/client/src/client.ts";
import { uppyOptions } from "../../../packages/client/src/uppy.ts";
import * as Upload from "../../../packages/core/src/upload.schema.ts";

// Uppy asks for the size of the parts before the API is asked, so the client has a copy of two constants.

test("Uppy cuts files as the API expects them", () => {
  const uppy = {
    getFile: () => undefined,
    setFileMeta: () => {},
    addPostProcessor: () => {},
    on: () => {},
    emit: () => {},
  };
  const options = uppyOptions(uppy, createClient("http://localhost"));
  expect(options.getChunkSize()).toBe(Upload.PART_BYTES);
  const isInParts = (size: number) => options.shouldUseMultipart({ data: { size } });
  expect(isInParts(Upload.MAX_FORM_BYTES)).toBe(false);
  expect(isInParts(Upload.MAX_FORM_BYTES + 1)).toBe(true);
});
