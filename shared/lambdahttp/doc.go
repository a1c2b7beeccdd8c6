// Package lambdahttp serves a net/http handler as an AWS Lambda function behind an API Gateway
// HTTP API (payload format 2.0) or a Lambda Function URL, which sends the same shape.
//
// It uses the core of aws-lambda-go-api-proxy, which makes the request and keeps its
// accessors for the gateway's context working, and it sets itself whatever core gets wrong: core
// splits headers on commas, decodes no path and parses a decoded one as a URL, passes its context
// through headers that a client can send, lets the last status win, and answers a client's fault
// with a function error. A handler sees the request that a net/http server would have given it,
// and its answer leaves as a net/http server would have sent it.
//
// # What the two events do differently
//
// An HTTP API decodes rawPath before it invokes the function (once, or twice where a percent sign
// was escaped itself), so a question mark in it is a character of a segment and never the start of
// a query. A Function URL leaves rawPath as the client sent it. Live captures of both:
// https://github.com/hotsock/voker/pull/8, reports: https://github.com/honojs/hono/issues/2156.
// Path and query are therefore never joined into one string and parsed again.
//
// requestContext.domainName distinguishes the two. A Function URL's is always
// "<url-id>.lambda-url.<region>.on.aws" with the same id in apiId
// (https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html); an HTTP API's is
// "<api-id>.execute-api.…" or a custom domain, whose first label is not the API's id. Neither
// field can be set by a client, and a Function URL keeps its own domain behind CloudFront.
//
// A header of the event is one value, also when the gateway joined repeated headers with a comma:
// dates, signatures, tracestate and JSON hold commas, and the parts cannot be separated afterwards.
//
// # Other event kinds
//
// The type payload is what a kind of event has to offer; payload2 is the one kind that exists. A
// REST API (payload format 1.0) or a load balancer target would be one more file beside it and one
// more case in decode.
package lambdahttp
