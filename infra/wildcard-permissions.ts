/**
 * The rights that AWS cannot narrow to a resource, with the reason. Nothing else may be granted on `*`: a test holds the
 * graph against this list.
 */
export const unscoped = [
  {
    actions: ["xray:PutTraceSegments", "xray:PutTelemetryRecords"],
    reason:
      "X-Ray has no resource to name for these two: https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsx-ray.html",
  },
];
