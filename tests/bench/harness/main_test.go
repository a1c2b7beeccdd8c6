package harness_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
)

// TestMain runs the tests, or is the function that a test starts: this binary with the variable FUNCTION.
func TestMain(m *testing.M) {
	function := functions()[os.Getenv("FUNCTION")]
	if function == nil {
		os.Exit(m.Run())
	}
	function()
}

// functions are the functions of the tests, by name.
func functions() map[string]func() {
	return map[string]func(){
		"echo": func() { lambda.Start(echo{}) },
		"exits": func() {
			fmt.Fprintln(os.Stderr, "no such table")
			os.Exit(3)
		},
		"init error": func() {
			post("/2018-06-01/runtime/init/error", `{"errorMessage":"no key","errorType":"Keys"}`)
			os.Exit(1)
		},
		"hangs":   func() { time.Sleep(time.Minute) },
		"returns": func() { lambda.Start(func() error { return errors.New("out of stock") }) },
		"panics":  func() { lambda.Start(func() error { panic("no mug") }) },
		"stops": func() {
			lambda.Start(func() error { os.Exit(4); return nil })
		},
		"late":  func() { lambda.Start(func() (string, error) { time.Sleep(20 * time.Millisecond); return "late", nil }) },
		"meets": func() { lambda.Start(meeting(make(chan struct{}))) },
		"calls": func() { lambda.Start(calls) },
		"ignores": func() {
			lambda.Start(func(ctx context.Context) error {
				_ = send(ctx, os.Getenv("AWS_ENDPOINT_URL_DYNAMODB"), "DynamoDB_20120810.Scan", `{"TableName":"T"}`)
				return nil
			})
		},
		"extends": extends,
	}
}

// echo answers with its event.
type echo struct{}

func (echo) Invoke(_ context.Context, payload []byte) ([]byte, error) { return payload, nil }

// meeting answers an event when another one is there too.
func meeting(met chan struct{}) func(context.Context) error {
	return func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		select {
		case met <- struct{}{}:
		case <-met:
		case <-ctx.Done():
			return errors.New("no other event came")
		}
		return nil
	}
}

// calls makes two calls of DynamoDB one after the other and two at once, and an export.
func calls(ctx context.Context) (string, error) {
	call := func(item string) error {
		return send(ctx, os.Getenv("AWS_ENDPOINT_URL_DYNAMODB"), "DynamoDB_20120810.GetItem", `{"TableName":"T","Key":{"PK":{"S":"`+item+`"}}}`)
	}
	if err := errors.Join(call("a"), call("b")); err != nil {
		return "", err
	}
	done := make(chan error, 2)
	for range 2 {
		go func() { done <- call("c") }()
	}
	err := errors.Join(<-done, <-done)
	return "done", errors.Join(err, send(ctx, os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT")+"/v1/traces", "", "span"))
}

func send(ctx context.Context, url, target, body string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("X-Amz-Target", target)
	answer, err := (&http.Client{}).Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return errors.New(answer.Status)
	}
	return nil
}

// extends is a function with an extension that takes 30 ms after each event.
func extends() {
	base := "http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API") + "/2020-01-01/extension/"
	r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, base+"register", strings.NewReader(`{"events":["INVOKE"]}`))
	must(err)
	r.Header.Set("Lambda-Extension-Name", "slow")
	answer, err := (&http.Client{}).Do(r)
	must(err)
	must(answer.Body.Close())
	id := answer.Header.Get("Lambda-Extension-Identifier")
	go func() {
		for {
			r, err := http.NewRequestWithContext(context.Background(), http.MethodGet, base+"event/next", http.NoBody)
			must(err)
			r.Header.Set("Lambda-Extension-Identifier", id)
			answer, err := (&http.Client{}).Do(r)
			must(err)
			var event struct{ EventType, RequestID string }
			must(json.NewDecoder(answer.Body).Decode(&event))
			must(answer.Body.Close())
			if event.EventType != "INVOKE" || event.RequestID == "" {
				panic(event)
			}
			time.Sleep(30 * time.Millisecond)
		}
	}()
	lambda.Start(echo{})
}

func post(path, body string) {
	r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, "http://"+os.Getenv("AWS_LAMBDA_RUNTIME_API")+path, strings.NewReader(body))
	must(err)
	answer, err := (&http.Client{}).Do(r)
	must(err)
	must(answer.Body.Close())
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
