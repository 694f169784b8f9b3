/** Why the cloud cannot start, in a sentence for the person who started it; everything else that is thrown is a bug. */
export class StartError extends Error {
  override name = "StartError";
}
