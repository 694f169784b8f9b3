/** The reason why the cloud cannot start, as a sentence for the person who started it. Any other error is a bug. */
export class StartError extends Error {
  override name = "StartError";
}
