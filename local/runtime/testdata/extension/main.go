// Command extension is an external Lambda extension for tests: it prints the events that it gets.
// The variable EXTENSION says how it misbehaves.
package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

func main() {
	api := "http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API") + "/2020-01-01/extension/"
	switch os.Getenv("EXTENSION") {
	case "exit":
		os.Exit(4)
	case "silent":
		time.Sleep(time.Hour)
	}

	request, _ := http.NewRequest(http.MethodPost, api+"register", strings.NewReader(`{"events":["INVOKE","SHUTDOWN"]}`))
	request.Header.Set("Lambda-Extension-Name", filepath.Base(os.Args[0]))
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		panic(err)
	}
	response.Body.Close()
	id := response.Header.Get("Lambda-Extension-Identifier")
	for {
		request, _ := http.NewRequest(http.MethodGet, api+"event/next", nil)
		request.Header.Set("Lambda-Extension-Identifier", id)
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			panic(err)
		}
		var event map[string]any
		_ = json.NewDecoder(response.Body).Decode(&event)
		response.Body.Close()
		fmt.Println("external:", event["eventType"], event["shutdownReason"])
		switch {
		case event["eventType"] == "SHUTDOWN":
			return
		case os.Getenv("EXTENSION") == "exit-error":
			request, _ := http.NewRequest(http.MethodPost, api+"exit/error", nil)
			request.Header.Set("Lambda-Extension-Identifier", id)
			request.Header.Set("Lambda-Extension-Function-Error-Type", "Fatal.ConnectFailed")
			_, _ = http.DefaultClient.Do(request)
			os.Exit(5)
		}
	}
}
