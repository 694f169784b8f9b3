/**
 * The actions that AWS cannot restrict to a resource, with the reason. Nothing else may be granted on `*`: a test compares
 * the graph with this list.
 */
export const wildcardPermissions = [
  {
    actions: ["xray:PutTraceSegments", "xray:PutTelemetryRecords"],
    reason:
      "X-Ray has no resource to name for these two: https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsx-ray.html",
  },
];
