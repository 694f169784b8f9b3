import { Resource as Linked } from "sst/resource";

export const Resource = Linked as unknown as {
  Images: { name: string };
  Data: { name: string };
  Ingest: { url: string };
  Keys: { cursor: string };
};
