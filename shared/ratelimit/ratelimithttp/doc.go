// Package ratelimithttp limits requests: it makes subjects of them, asks limiters, and answers with the headers and
// problem documents that clients understand. The decisions are those of package ratelimit.
package ratelimithttp
