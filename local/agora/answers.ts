/** One HTTP answer of the REST API. */
export interface Answer {
  status: number;
  body: unknown;
}

const service = (status: number, code: number, reason: string): Answer => ({
  status,
  body: { code, reason },
});
const gateway = (status: number, message: string): Answer => ({ status, body: { message } });

/** Answers of the API gateway, which knows nothing of recordings (Agora, "Response status codes"). */
export const gatewayAnswers = {
  invalidAppId: gateway(400, "appid is invalid"),
  unauthorized: gateway(401, "Unauthorized"),
  badCredentials: gateway(401, "Invalid authentication credentials"),
  noRoute: gateway(404, "no Route matched with those values"),
  rateLimited: gateway(429, "API rate limit exceeded"),
  unavailable: gateway(503, "Service unavailable"),
};

/** Answers of the recording service. Where the HTTP status of a code is not documented, it is 400. */
export const answers = {
  alreadyStarted: service(201, 7, "already started"),
  notCompleted: service(206, 65, "request not completed"),
  slowStop: service(206, 50, "upload timeout"),
  nothingRecorded: service(206, 435, "no recorded data"),
  badBody: (reason: string) => service(400, 2, reason),
  badRequest: (reason: string) => service(400, 8, reason),
  exiting: service(400, 49, "invalid operation"),
  taskConflict: service(400, 53, "task conflict"),
  invalidChannel: service(400, 401, "invalid_channel_name"),
  overload: service(400, 406, "vendor_over_load"),
  resourceMismatch: service(400, 432, "cname or uid does not match the resourceId"),
  resourceExpired: service(400, 433, "resourceId expired"),
  resourceUnreadable: service(400, 1001, "resourceId cannot be parsed"),
  sidMismatch: service(400, 1003, "appid or sid does not match the resourceId"),
  gone: service(404, 404, "failed to find worker"),
  internal: service(500, 500, "internal_error"),
  noWorkerForStart: service(500, 502, "Failed to allocate worker"),
  allocateTimeout: service(500, 504, "allocate_timeout"),
  startTimeout: service(500, 62, "request timeout"),
  timeout: service(504, 62, "request timeout"),
};
