package main

// event is an event of the route as API Gateway sends it, payload format 2.0.
func event(o operation) object {
	const domain = "k7w3n5q2xz"
	const host = domain + ".execute-api.eu-central-1.amazonaws.com"
	const browser = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"
	headers := map[string]string{
		"accept": "application/json", "accept-encoding": "gzip, deflate, br", "content-length": "0", "host": host,
		"user-agent": browser, "x-amzn-trace-id": "Root=1-6924c207-5f0e3c1a7d9b2e4486a1c3d5",
		"x-forwarded-for": "203.0.113.7", "x-forwarded-port": "443", "x-forwarded-proto": "https",
	}
	context := object{{"accountId", "123456789012"}, {"apiId", domain}}
	if !o.Public() {
		headers["authorization"] = sampleToken
		context = append(context, member{"authorizer", map[string]any{"lambda": object{
			{"auth", "ok"},
			{"sub", "01JD7PZC3H8Y5E2A9B6D4F7G0K"},
			{"sid", "01JD7Q0B5J1X8V4T2R9N6M3K7P"},
			{"client_id", "shop"},
			{"roles", "customer"},
			{"auth_time", "1795546800"},
			{"token_exp", "4102444800"},
		}}})
	}
	context = append(context, object{
		{"domainName", host},
		{"domainPrefix", domain},
		{"http", object{
			{"method", o.Method}, {"path", o.Sample()}, {"protocol", "HTTP/1.1"}, {"sourceIp", "203.0.113.7"}, {"userAgent", browser},
		}},
		{"requestId", "UuV07ghfFiAEJ0w="},
		{"routeKey", o.key()},
		{"stage", "$default"},
		{"time", "24/Nov/2026:20:07:30 +0000"},
		{"timeEpoch", 1795550850217},
	}...)
	all := object{
		{"version", "2.0"},
		{"routeKey", o.key()},
		{"rawPath", o.Sample()},
		{"rawQueryString", ""},
		{"headers", headers},
		{"requestContext", context},
	}
	if names := o.Parameters(); len(names) > 0 {
		parameters := map[string]string{}
		for _, name := range names {
			parameters[name] = sampleID
		}
		all = append(all, member{"pathParameters", parameters})
	}
	return append(all, member{"isBase64Encoded", false})
}

// expected is the function's answer to the event.
func expected(o operation) object {
	headers := map[string]string{"cache-control": "no-store", "x-request-id": "<id>"}
	all := object{{"status", o.Status()}, {"headers", headers}}
	if o.Deletes() {
		return all
	}
	headers["content-type"] = "application/json"
	body := map[string]string{}
	for _, name := range o.Parameters() {
		body[name] = sampleID
	}
	return append(all, member{"body", body})
}
