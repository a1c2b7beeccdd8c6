// Package logging writes structured JSON logs with zap under the key names of AWS Lambda
// Powertools, keeps the request-scoped logger and the access line's entry in the context, and
// redacts credentials and card data by default.
package logging
