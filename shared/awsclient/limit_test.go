package awsclient_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptrace"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tienda-dev/tienda/shared/awsclient"
	"github.com/tienda-dev/tienda/shared/awsclient/awsclienttest"
)

func TestLimitReadBoundsTheReadAndNotTheQueue(t *testing.T) {
	t.Parallel()
	const limit = time.Second
	for name, c := range map[string]struct {
		run  func(*httptrace.ClientTrace)
		want bool // the limit is over
	}{
		"NothingSent":       {func(*httptrace.ClientTrace) { time.Sleep(limit) }, true},
		"Short":             {func(*httptrace.ClientTrace) { time.Sleep(limit / 2) }, false},
		"ConnectionIsSlow":  {func(t *httptrace.ClientTrace) { t.GetConn(""); time.Sleep(time.Hour) }, false},
		"BeginsWithTheSend": {func(t *httptrace.ClientTrace) { time.Sleep(limit / 2); send(t); time.Sleep(limit * 3 / 4) }, false},
		"AnswerIsSlow":      {func(t *httptrace.ClientTrace) { send(t); time.Sleep(limit + limit/20) }, true},
		"TwoReadsShareIt":   {func(t *httptrace.ClientTrace) { send(t); time.Sleep(limit * 3 / 4); send(t); time.Sleep(limit / 2) }, true},
		"WriteFails": {func(t *httptrace.ClientTrace) {
			time.Sleep(limit / 2)
			t.GetConn("")
			t.GotConn(httptrace.GotConnInfo{})
			t.WroteRequest(httptrace.WroteRequestInfo{Err: errors.New("reset")})
			time.Sleep(limit * 3 / 4)
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := awsclient.LimitRead(t.Context(), limit)
				defer cancel()
				c.run(httptrace.ContextClientTrace(ctx))
				synctest.Wait()
				if got := ctx.Err() != nil; got != c.want {
					t.Errorf("over: %t, want %t", got, c.want)
				}
			})
		})
	}
}

// A limit inside another one: each counts what the request of the inner context does, and hooks of others are called once.
func TestLimitReadInsideAnother(t *testing.T) {
	t.Parallel()
	const limit = time.Second
	hooked := func(ctx context.Context, calls *int) context.Context {
		return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
			GetConn:      func(string) { *calls++ },
			GotConn:      func(httptrace.GotConnInfo) { *calls++ },
			WroteRequest: func(httptrace.WroteRequestInfo) { *calls++ },
			DNSStart:     func(httptrace.DNSStartInfo) { *calls += 100 },
		})
	}
	for name, c := range map[string]struct {
		outer, inner         time.Duration
		between              bool // a hook of somebody else's between them
		wantOuter, wantInner bool // which is over when both have run for limit and a half after the request
	}{
		"OuterIsShorter":  {limit, 10 * limit, false, true, true}, // its end is the inner one's too
		"InnerIsShorter":  {10 * limit, limit, false, false, true},
		"OthersInBetween": {10 * limit, limit, true, false, true},
		"BothAreLonger":   {10 * limit, 10 * limit, false, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				calls := 0
				outer, endOuter := awsclient.LimitRead(hooked(t.Context(), &calls), c.outer)
				defer endOuter()
				want, middle := 103, outer
				if c.between {
					middle, want = hooked(outer, &calls), 206
				}
				inner, endInner := awsclient.LimitRead(middle, c.inner)
				defer endInner()
				time.Sleep(limit * 3 / 4) // before the request: it begins anew for both
				trace := httptrace.ContextClientTrace(inner)
				trace.DNSStart(httptrace.DNSStartInfo{})
				send(trace)
				time.Sleep(limit * 3 / 4)
				synctest.Wait()
				if outer.Err() != nil || inner.Err() != nil {
					t.Fatal("over before the limit")
				}
				time.Sleep(limit * 3 / 4)
				synctest.Wait()
				if gotOuter, gotInner := outer.Err() != nil, inner.Err() != nil; gotOuter != c.wantOuter || gotInner != c.wantInner {
					t.Errorf("over: outer %t, inner %t, want %t and %t", gotOuter, gotInner, c.wantOuter, c.wantInner)
				}
				if calls != want {
					t.Errorf("hooks were called for %d, want %d", calls, want)
				}
			})
		})
	}
}

func send(trace *httptrace.ClientTrace) {
	trace.GetConn("")
	trace.GotConn(httptrace.GotConnInfo{})
	trace.WroteRequest(httptrace.WroteRequestInfo{})
}

// net/http reports what LimitRead counts by: a connection may take longer than the limit.
func TestLimitReadDoesNotCountTheConnection(t *testing.T) {
	t.Parallel()
	const limit = 200 * time.Millisecond
	url := awsclienttest.Serve(t, awsclienttest.Answer(http.StatusOK, "text/plain", "x"), awsclienttest.Close)
	client := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
		time.Sleep(2 * limit)
		return new(net.Dialer).DialContext(ctx, network, addr)
	}}}
	ctx, cancel := awsclient.LimitRead(t.Context(), limit)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
}
