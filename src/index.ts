// The public face of the package: what is not exported here is private.

// Errors
export { ERROR_CODES, type ErrorCode, GemmaError, type GemmaErrorOptions } from "./base/errors.js";
