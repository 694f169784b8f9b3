/** Returns the function in `arn:aws:apigateway:{region}:lambda:path/2015-03-31/functions/{arn}/invocations`. */
export function functionArnOf(uri: string): { arn: string; streams: boolean } | undefined {
  const found =
    /^arn:aws:apigateway:[^:]+:lambda:path\/[\d-]+\/functions\/(.+)\/((?:response-streaming-)?invocations)$/.exec(
      uri,
    );
  if (!found) return undefined;
  return { arn: found[1]!, streams: found[2] !== "invocations" };
}

/** Returns the path-style `/bucket/key` in `arn:aws:apigateway:{region}:s3:path/{bucket}/{key}` or `…:{bucket}.s3:path/{key}`. */
export function s3PathOf(uri: string): string | undefined {
  const found = /^arn:aws:apigateway:[^:]+:(?:([^:]+)\.)?s3:path\/(.*)$/.exec(uri);
  if (!found) return undefined;
  const [, bucket, path] = found;
  return bucket ? `/${bucket}/${path}` : `/${path}`;
}
