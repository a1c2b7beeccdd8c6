// Package redrive moves the messages of a dead-letter queue back to the queues that they came from, in the queues
// of a running local API and on AWS, where SQS does it in the background. The events in the FailuresQueue, which came from no
// queue, it sends to their subscribers.
package redrive

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/tienda-dev/tienda/shared/awsclient"
	"github.com/tienda-dev/tienda/shared/awsjson"
)

// Config says whose queues they are.
type Config struct {
	awsclient.Config
	// Endpoint is the URL of the local queues. Empty is AWS.
	Endpoint string
}

// Result is what was moved.
type Result struct {
	// Queue is the name of the dead-letter queue.
	Queue string
	// Messages is how many messages it had, and Left how many it still has.
	Messages, Left int
	// Background says that SQS goes on moving them, so that Left says little.
	Background bool
	// Kept says of each message of the FailuresQueue that stays what it is and why.
	Kept []string
}

// Redrive moves the messages of the queue. It is named by its logical id or its name locally, and by its ARN or
// its name on AWS. Without a name the error lists the queues. Of the FailuresQueue it sends the events of stream records to
// their subscribers, which drop those that they have handled before.
func Redrive(ctx context.Context, cfg Config, queue string) (Result, error) {
	client, err := awsjson.New(awsjson.Config{Config: cfg.Config, Service: "sqs", Version: "1.0", Endpoint: cfg.Endpoint})
	if err != nil {
		return Result{}, err
	}
	c := caller{client}
	url, urls, err := c.find(ctx, queue)
	if err != nil {
		return Result{}, err
	}
	name := nameOf(url)
	result := Result{Queue: name}
	arn, messages, err := c.attributes(ctx, url)
	if err != nil {
		return result, err
	}
	result.Messages = messages
	if strings.Contains(name, failures) {
		return c.resend(ctx, cfg, url, urls, result)
	}
	in := map[string]string{"SourceArn": arn}
	if in["DestinationArn"], err = c.source(ctx, url); err != nil {
		return result, fmt.Errorf("redrive %s: %w", name, err)
	}
	if in["DestinationArn"] == "" {
		delete(in, "DestinationArn")
	}
	if err := c.call(ctx, "StartMessageMoveTask", in, nil); err != nil {
		return result, fmt.Errorf("redrive %s: %w", name, err)
	}
	result.Background = cfg.Endpoint == ""
	_, result.Left, err = c.attributes(ctx, url)
	return result, err
}

type caller struct{ client *awsjson.Client }

func (c caller) call(ctx context.Context, operation string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	answer, err := c.client.Call(ctx, "AmazonSQS."+operation, body)
	if err != nil || out == nil {
		return err
	}
	return json.Unmarshal(answer, out)
}

// find returns the URL of the queue and those of all queues.
func (c caller) find(ctx context.Context, queue string) (url string, all []string, err error) {
	wanted := queue[strings.LastIndexByte(queue, ':')+1:] // of an ARN
	var names []string
	for token := ""; ; {
		in := map[string]any{"MaxResults": 1000}
		if token != "" {
			in["NextToken"] = token
		}
		var list struct {
			QueueUrls []string
			NextToken string
		}
		if err := c.call(ctx, "ListQueues", in, &list); err != nil {
			return "", nil, err
		}
		for _, found := range list.QueueUrls {
			name := nameOf(found)
			if wanted != "" && (name == wanted || name == wanted+".fifo") {
				url = found
			}
			names = append(names, name)
		}
		all = append(all, list.QueueUrls...)
		if token = list.NextToken; token == "" {
			break
		}
	}
	slices.Sort(names)
	switch {
	case queue == "":
		return "", nil, errors.New("QUEUE is required: the name of a dead-letter queue, of " + strings.Join(names, ", "))
	case url == "":
		return "", nil, fmt.Errorf("no queue %q (want one of %s)", queue, strings.Join(names, ", "))
	default:
		return url, all, nil
	}
}

func nameOf(url string) string { return url[strings.LastIndexByte(url, '/')+1:] }

// source returns the ARN of the queue whose dead-letter queue it is, and an empty one if several have it: SQS then
// moves each message to where it came from. With the ARN it also moves what a worker sent to the dead-letter queue
// itself.
func (c caller) source(ctx context.Context, url string) (arn string, err error) {
	var out struct {
		QueueURLs []string `json:"queueUrls"`
	}
	if err := c.call(ctx, "ListDeadLetterSourceQueues", map[string]string{"QueueUrl": url}, &out); err != nil {
		return "", err
	}
	switch len(out.QueueURLs) {
	case 0:
		return "", errors.New("it is not the dead-letter queue of another queue")
	case 1:
		arn, _, err = c.attributes(ctx, out.QueueURLs[0])
	}
	return arn, err
}

// attributes returns the ARN of the queue and how many messages it has.
func (c caller) attributes(ctx context.Context, url string) (arn string, messages int, err error) {
	var out struct{ Attributes map[string]string }
	in := map[string]any{"QueueUrl": url, "AttributeNames": []string{"All"}}
	if err := c.call(ctx, "GetQueueAttributes", in, &out); err != nil {
		return "", 0, err
	}
	messages, err = strconv.Atoi(out.Attributes["ApproximateNumberOfMessages"])
	return out.Attributes["QueueArn"], messages, err
}
