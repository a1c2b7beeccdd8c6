package template

import (
	"time"

	"go.yaml.in/yaml/v4"
)

const typeQueue = "AWS::SQS::Queue"

// What SQS allows.
const (
	defaultVisibility = 30
	maxVisibility     = 12 * 60 * 60
	defaultRetention  = 4 * 24 * 60 * 60
	minRetention      = 60
	maxRetention      = 14 * 24 * 60 * 60
	maxDelay          = 15 * 60
	maxReceives       = 1000
)

// queue reads an SQS queue.
func (r *reader) queue(res resource) Queue {
	props := member(res.body, "Properties")
	r.only(res.id, props,
		[]string{
			"QueueName", "FifoQueue", "ContentBasedDeduplication", "VisibilityTimeout", "MessageRetentionPeriod",
			"DelaySeconds", "RedrivePolicy", "DeduplicationScope",
		},
		[]string{
			"KmsDataKeyReusePeriodSeconds", "KmsMasterKeyId", "RedriveAllowPolicy", "SqsManagedSseEnabled", "Tags",
			"ReceiveMessageWaitTimeSeconds", "FifoThroughputLimit", "MaximumMessageSize",
		})
	q := Queue{
		LogicalID:            res.id,
		Name:                 r.queueName(res.body, res.id),
		FIFO:                 r.flag(props, "FifoQueue"),
		ContentDeduplication: r.flag(props, "ContentBasedDeduplication"),
		GroupDeduplication:   r.text(props, "DeduplicationScope", "queue") == "messageGroup",
		VisibilityTimeout:    r.seconds(props, "VisibilityTimeout", defaultVisibility, 0, maxVisibility),
		Retention:            r.seconds(props, "MessageRetentionPeriod", defaultRetention, minRetention, maxRetention),
		Delay:                r.seconds(props, "DelaySeconds", 0, 0, maxDelay),
		line:                 res.line.Line,
	}
	policy := r.get(props, "RedrivePolicy")
	if policy == nil {
		return q
	}
	r.only("RedrivePolicy of "+res.id, policy, []string{"deadLetterTargetArn", "maxReceiveCount"}, nil)
	q.DeadLetter = referenced(member(policy, "deadLetterTargetArn"))
	q.MaxReceives = r.number(policy, "maxReceiveCount", 0)
	if q.DeadLetter == "" || q.MaxReceives < 1 || q.MaxReceives > maxReceives {
		r.refuse(policy, "RedrivePolicy of %s must name its queue by deadLetterTargetArn: !GetAtt Queue.Arn, and a maxReceiveCount from 1 to %d", res.id, maxReceives)
	}
	return q
}

// seconds reads a whole number of seconds between two bounds.
func (r *reader) seconds(n *yaml.Node, key string, fallback, low, top int) time.Duration {
	return time.Duration(r.bounded(n, key, fallback, low, top)) * time.Second
}

// bounded reads a whole number between two bounds.
func (r *reader) bounded(n *yaml.Node, key string, fallback, low, top int) int {
	v := r.number(n, key, fallback)
	if v < low || v > top {
		r.refuse(member(n, key), "%s must be from %d to %d", key, low, top)
		return fallback
	}
	return v
}

// queueName returns the name of a queue on this machine.
func (r *reader) queueName(resource *yaml.Node, id string) string {
	name := r.physical(resource, id)
	if r.flag(member(resource, "Properties"), "FifoQueue") {
		name += ".fifo"
	}
	return name
}

// QueueURL is what a reference to a queue yields on this machine. Clients send it to the address of
// AWS_ENDPOINT_URL_SQS; by itself it leads nowhere. (RFC 6761 keeps localhost on this machine.)
func QueueURL(name string) string { return "http://sqs.localhost/" + accountID + "/" + name }

// QueueARN is the name of a queue in policies and in events.
func QueueARN(name string) string { return "arn:aws:sqs:" + region + ":" + accountID + ":" + name }

// FunctionARN is the name of a function in events.
func FunctionARN(name string) string {
	return "arn:aws:lambda:" + region + ":" + accountID + ":function:" + name
}

// queueReference resolves an attribute of a queue.
func (r *reader) queueReference(resource *yaml.Node, name, attribute string) (string, bool) {
	physical := r.queueName(resource, name)
	switch attribute {
	case "Arn":
		return QueueARN(physical), true
	case "QueueUrl":
		return QueueURL(physical), true
	case "QueueName":
		return physical, true
	default:
		return "", false
	}
}

// checkQueues finds the problems of queues that need the whole template.
func (r *reader) checkQueues(t *Template) {
	for _, q := range t.Queues {
		if q.DeadLetter == "" {
			continue
		}
		at := &yaml.Node{Line: q.line}
		dead, ok := t.Queue(q.DeadLetter)
		switch {
		case !ok:
			r.refuse(at, "the dead-letter queue of %s is %s, which is not a queue of the template", q.LogicalID, q.DeadLetter)
		case dead.FIFO != q.FIFO:
			r.refuse(at, "the dead-letter queue of %s must be FIFO exactly when %s is", q.LogicalID, q.LogicalID)
		case dead.LogicalID == q.LogicalID:
			r.refuse(at, "%s is its own dead-letter queue", q.LogicalID)
		}
	}
}
