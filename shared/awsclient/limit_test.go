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
