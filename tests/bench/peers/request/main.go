// Command request is a floor for a warm request of a route that reads one item: bare, and one request to DynamoDB. It signs nothing, decodes
// nothing and logs nothing. The bench gives it the variables of Go's runtime that Tienda's functions have. What a route takes
// beyond this is its own.
package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"runtime/debug"
	"strings"

	"github.com/aws/aws-lambda-go/lambda"
)

// answer is that of bare.
const answer = `{"statusCode":200,"headers":{"content-type":"application/json"},"body":"{\"status\":\"UP\"}"}`

// handler is a lambda.Handler.
// https://pkg.go.dev/github.com/aws/aws-lambda-go/lambda#Handler
type handler struct {
	url  string
	body []byte
}

var _ lambda.Handler = handler{}

// Invoke implements lambda.Handler. The item does not exist: a smaller response than a product.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.LowLevelAPI.html
func (h handler) Invoke(ctx context.Context, _ []byte) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, h.url, bytes.NewReader(h.body))
	if err != nil {
		return nil, err
	}
	r.Header["Content-Type"] = []string{"application/x-amz-json-1.0"}
	r.Header["X-Amz-Target"] = []string{"DynamoDB_20120810.GetItem"}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("get item: %s: %s", response.Status, text)
	}
	return []byte(answer), err
}

func main() {
	url, table := os.Getenv("AWS_ENDPOINT_URL_DYNAMODB"), os.Getenv("COMMERCE_TABLE")
	if url == "" || table == "" || strings.ContainsAny(table, `"\`) {
		log.Fatal("AWS_ENDPOINT_URL_DYNAMODB and COMMERCE_TABLE are needed")
	}
	debug.SetGCPercent(400)
	body := `{"TableName":"` + table + `","Key":{"PK":{"S":"P#none"},"SK":{"S":"META"}},"ConsistentRead":true}`
	lambda.Start(handler{url, []byte(body)}) // https://docs.aws.amazon.com/lambda/latest/dg/golang-handler.html
}
