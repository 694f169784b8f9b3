import { readFileSync } from "node:fs";
import { join } from "node:path";

import { createClient, ProblemError, signIn } from "@balde/client";
import type { Cloud } from "@balde/local-cloud";

export type User = { name: string; password: string };
export type Local = Omit<Cloud["local"], "apiKeys"> & {
  /** The URL of the API's documentation page. */
  docs: string;
  users: User[];
  /** API keys by the name of their usage plan. */
  keys?: Record<string, string>;
};

const users: User[] = [
  { name: "ann", password: "Picture-book-1" },
  { name: "bo", password: "Picture-book-2" },
];

const pictures = [
  {
    name: "stonehenge.jpg",
    title: "Stonehenge",
    alt: "Standing stones on a green field",
    tags: ["stone"],
  },
  { name: "koi.jpg", title: "Koi", alt: "Koi in a pond", tags: ["water", "fish"] },
  {
    name: "pier.jpg",
    title: "Sunset by the pier",
    alt: "A pier at sunset",
    tags: ["water", "sunset"],
  },
];

/**
 * Creates two people and uploads three images through the public API. What exists already stays unchanged.
 *
 * @throws ProblemError if the API refuses an upload for another reason than a taken name
 */
export async function seed(
  cloud: Cloud,
  root: string,
  print: (line: string) => void,
): Promise<User[]> {
  const { api, cognito } = cloud.local;
  if (!api || !cognito) return [];
  for (const user of users) cloud.createUser({ ...user, email: `${user.name}@example.com` });

  const [ann] = users;
  const token = await signIn({ ...cognito, username: ann!.name, password: ann!.password });
  const client = createClient(api, { token: token.idToken });
  for (const picture of pictures) {
    const bytes = readFileSync(join(root, "tools/start/pictures", picture.name));
    try {
      await client.upload(new Blob([bytes], { type: "image/jpeg" }), picture);
      print(`  ${picture.name} is ready`);
    } catch (error) {
      if (!(error instanceof ProblemError && error.code === "name.taken")) throw error;
    }
  }
  return users;
}
