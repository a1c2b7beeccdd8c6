// Command function is a Lambda function for tests: the event says what to do, and the variable
// MODE what to do at INIT.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
)

type event struct {
	Do   string `json:"do"`
	Text string `json:"text"`
	N    int    `json:"n"`
}

type answer struct {
	PID       int               `json:"pid"`
	Child     int               `json:"child,omitempty"`
	RequestID string            `json:"request_id"`
	ARN       string            `json:"arn"`
	Trace     string            `json:"trace"`
	LeftMS    int64             `json:"left_ms"`
	Dir       string            `json:"dir"`
	Env       map[string]string `json:"env,omitempty"`
	Text      string            `json:"text,omitempty"`
	Count     int               `json:"count"`
}

func main() {
	api := "http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API")
	var options []lambda.Option
	switch os.Getenv("MODE") {
	case "exit":
		fmt.Fprintln(os.Stderr, "no table configured")
		os.Exit(3)
	case "hang":
		time.Sleep(time.Hour)
	case "init-error":
		post(api+"/2018-06-01/runtime/init/error", `{"errorMessage":"no such handler","errorType":"Runtime.NoHandler"}`, nil)
		time.Sleep(time.Hour)
	case "slow-init":
		time.Sleep(300 * time.Millisecond)
	case "sigterm":
		options = append(options, lambda.WithEnableSIGTERM(func() { fmt.Println("got SIGTERM") }))
	case "listen":
		terminated := make(chan os.Signal, 1)
		signal.Notify(terminated, syscall.SIGTERM)
		go func() {
			<-terminated
			fmt.Println("got SIGTERM")
		}()
	case "stubborn":
		options = append(options, lambda.WithEnableSIGTERM(func() { time.Sleep(time.Hour) }))
	case "internal-extension":
		internalExtension(api)
	case "internal-shutdown":
		response := post(api+"/2020-01-01/extension/register", `{"events":["SHUTDOWN"]}`,
			map[string]string{"Lambda-Extension-Name": "inside"})
		fmt.Println("register for SHUTDOWN:", response.StatusCode)
	}

	count := 0
	lambda.StartWithOptions(func(ctx context.Context, e event) (any, error) {
		count++
		return handle(ctx, e, count)
	}, options...)
}

func handle(ctx context.Context, e event, count int) (any, error) {
	lc, _ := lambdacontext.FromContext(ctx)
	deadline, _ := ctx.Deadline()
	dir, _ := os.Getwd()
	a := answer{
		PID: os.Getpid(), RequestID: lc.AwsRequestID, ARN: lc.InvokedFunctionArn,
		Trace: os.Getenv("_X_AMZN_TRACE_ID"), LeftMS: time.Until(deadline).Milliseconds(),
		Dir: dir, Count: count, Text: e.Text,
	}
	switch e.Do {
	case "length":
		a.Text = strconv.Itoa(len(e.Text))
	case "sleep":
		fmt.Print(e.Text)
		time.Sleep(time.Duration(e.N) * time.Millisecond)
	case "panic":
		panic(e.Text)
	case "error":
		return nil, errors.New(e.Text)
	case "exit":
		fmt.Println("leaving")
		os.Exit(e.N)
	case "kill":
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL) // as the system does when memory runs out
		time.Sleep(time.Hour)
	case "big":
		return strings.Repeat("x", e.N-2), nil // two quotes
	case "half":
		return &half{}, nil
	case "print":
		fmt.Print(e.Text)
	case "long":
		fmt.Println(strings.Repeat("y", e.N))
	case "env":
		a.Env = map[string]string{}
		for _, entry := range os.Environ() {
			name, value, _ := strings.Cut(entry, "=")
			a.Env[name] = value
		}
	case "child":
		cmd := exec.Command("sleep", "1000")
		if err := cmd.Start(); err != nil {
			return nil, err
		}
		a.Child = cmd.Process.Pid
	}
	return a, nil
}

// half is a response that fails in the middle, so that aws-lambda-go reports it in a trailer.
type half struct{ sent bool }

func (h *half) Read(p []byte) (int, error) {
	if h.sent {
		return 0, errors.New("the source broke off")
	}
	h.sent = true
	return copy(p, `{"half":`), nil
}

// internalExtension registers for INVOKE and works on each event until the file RELEASE exists.
func internalExtension(api string) {
	response := post(api+"/2020-01-01/extension/register", `{"events":["INVOKE"]}`,
		map[string]string{"Lambda-Extension-Name": "inside"})
	id := response.Header.Get("Lambda-Extension-Identifier")
	go func() {
		for {
			request, _ := http.NewRequest(http.MethodGet, api+"/2020-01-01/extension/event/next", nil)
			request.Header.Set("Lambda-Extension-Identifier", id)
			response, err := http.DefaultClient.Do(request)
			if err != nil {
				return
			}
			var event map[string]any
			_ = json.NewDecoder(response.Body).Decode(&event)
			response.Body.Close()
			fmt.Println("extension:", event["eventType"], event["requestId"])
			for {
				if _, err := os.Stat(os.Getenv("RELEASE")); err == nil {
					break
				}
				time.Sleep(10 * time.Millisecond)
			}
		}
	}()
}

func post(url, body string, header map[string]string) *http.Response {
	request, _ := http.NewRequest(http.MethodPost, url, strings.NewReader(body))
	for name, value := range header {
		request.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		panic(err)
	}
	response.Body.Close()
	return response
}
