package translated

import (
	"fmt"
	"slices"
	"strings"
)

// CloudFormation types of what runs without a request.
const (
	typeQueue       = "AWS::SQS::Queue"
	typeQueuePolicy = "AWS::SQS::QueuePolicy"
	typeMapping     = "AWS::Lambda::EventSourceMapping"
	typeInvokes     = "AWS::Lambda::EventInvokeConfig"
	typeRule        = "AWS::Events::Rule"
)

const (
	// visibilityFactor is how many times a function's Timeout a message stays hidden, as AWS recommends.
	visibilityFactor = 6
	// longestRetention is the longest time for which SQS keeps a message, in seconds.
	longestRetention = 14 * 24 * 60 * 60
	// streamRetention is how long a DynamoDB stream keeps a record, in seconds.
	streamRetention = 24 * 60 * 60
)

// workers lists the functions that a queue, a stream or a rule invokes.
func (s Stack) workers() []string {
	var ids []string
	for _, id := range s.of(typeMapping) {
		ids = append(ids, ref(s.Resources[id].Properties["FunctionName"]))
	}
	for _, id := range s.of(typeRule) {
		for _, target := range list(s.Resources[id].Properties["Targets"]) {
			ids = append(ids, attribute(at(target, "Arn"), "Arn"))
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// Asynchronous checks every path on which nobody waits for an answer: a stream, a queue or a rule that invokes
// a function. Each has retries that end within the promised bound, a maximum age, a queue for what failed for good, and
// alarms on one message in that queue and on the delay. All queues are encrypted and keep messages for a stated time.
func Asynchronous(s Stack) []string {
	var f faults
	for _, id := range s.of(typeQueue) {
		s.queue(id, &f)
	}
	for _, id := range s.of(typeMapping) {
		props := s.Resources[id].Properties
		if !s.is(ref(props["FunctionName"]), typeFunction) {
			f.add("%s: its FunctionName is %v, want a function of this stack, without an alias", id, props["FunctionName"])
		}
		if !slices.Contains(list(props["FunctionResponseTypes"]), any("ReportBatchItemFailures")) {
			f.add("%s: one failed record fails its batch: set FunctionResponseTypes: [ReportBatchItemFailures]", id)
		}
		if queue := attribute(props["EventSourceArn"], "Arn"); s.is(queue, typeQueue) {
			s.queueSource(id, queue, &f)
		} else {
			s.streamSource(id, &f)
		}
	}
	for _, id := range s.of(typeRule) {
		s.rule(id, &f)
	}
	return f
}

// queue checks what every queue has, whoever reads it.
func (s Stack) queue(id string, f *faults) {
	props := s.Resources[id].Properties
	if !s.truth(props["SqsManagedSseEnabled"]) && props["KmsMasterKeyId"] == nil {
		f.add("%s: it is not encrypted: set SqsManagedSseEnabled: true", id)
	}
	kept, ok := s.number(props["MessageRetentionPeriod"])
	if !ok {
		f.add("%s: say how long it keeps messages: set MessageRetentionPeriod", id)
	}
	if s.reader(id) != "" {
		return
	}
	if props["RedrivePolicy"] != nil {
		f.add("%s: it has a dead-letter queue, but no function reads it", id)
		return
	}
	// Nobody reads it: it holds what failed.
	if kept != longestRetention {
		f.add("%s: it keeps what failed for %v s, want the longest time, %d", id, props["MessageRetentionPeriod"], longestRetention)
	}
	if !s.watched("ApproximateNumberOfMessagesVisible", id, s.atOne) {
		f.add("%s: no alarm watches its ApproximateNumberOfMessagesVisible and fires at one message", id)
	}
}

// reader returns the function that reads a queue; empty if none does.
func (s Stack) reader(queue string) string {
	for _, id := range s.of(typeMapping) {
		if props := s.Resources[id].Properties; attribute(props["EventSourceArn"], "Arn") == queue {
			return ref(props["FunctionName"])
		}
	}
	return ""
}

func (s Stack) queueSource(id, queue string, f *faults) {
	props := s.Resources[queue].Properties
	dead := attribute(at(props, "RedrivePolicy", "deadLetterTargetArn"), "Arn")
	if n, ok := s.number(at(props, "RedrivePolicy", "maxReceiveCount")); !s.is(dead, typeQueue) || !ok || n < 2 {
		f.add("%s: set RedrivePolicy with a dead-letter queue of this stack and a maxReceiveCount of at least 2", queue)
	}
	function := s.Resources[s.reader(queue)].Properties
	timeout, _ := s.number(function["Timeout"])
	if hidden, ok := s.number(props["VisibilityTimeout"]); !ok || hidden < visibilityFactor*timeout {
		f.add("%s: its VisibilityTimeout is %v s, want at least %d times the %v s of its function", queue, props["VisibilityTimeout"], visibilityFactor, timeout)
	}
	s.held(queue, f)
	if !s.watched("ApproximateAgeOfOldestMessage", queue, s.inTime) {
		f.add("%s: no alarm watches its ApproximateAgeOfOldestMessage and fires at %d s", queue, LongestDelay)
	}
	if kept, ok := s.number(props["MessageRetentionPeriod"]); ok && kept >= longestRetention {
		f.add("%s: it keeps messages as long as its dead-letter queue, which counts from the first time they were sent: set a shorter MessageRetentionPeriod", queue)
	}
	// A permanent failure goes to the dead-letter queue at once.
	if variables := at(function, "Environment", "Variables"); dead != "" && ref(at(variables, "DEAD_LETTERS_QUEUE_URL")) != dead {
		f.add("%s: its function does not name %s: set DEAD_LETTERS_QUEUE_URL: !Ref %s", id, dead, dead)
	}
}

func (s Stack) streamSource(id string, f *faults) {
	props := s.Resources[id].Properties
	if !s.is(attribute(props["EventSourceArn"], "StreamArn"), typeTable) {
		f.add("%s: its EventSourceArn is %v, want a queue or the stream of a table of this stack", id, props["EventSourceArn"])
	}
	if n, ok := s.number(props["MaximumRetryAttempts"]); !ok || n < 1 || n > StreamRetries {
		f.add("%s: set MaximumRetryAttempts: without it a record is tried until it is too old. docs/events.md promises %d", id, StreamRetries)
	}
	if age, ok := s.number(props["MaximumRecordAgeInSeconds"]); !ok || age < 60 || age > StreamAge {
		f.add("%s: its MaximumRecordAgeInSeconds is %v, want at most the %d that docs/events.md promises: the stream keeps a record for %d", id, props["MaximumRecordAgeInSeconds"], StreamAge, streamRetention)
	}
	if !s.truth(props["BisectBatchOnFunctionError"]) {
		f.add("%s: one record that ends the function holds its batch: set BisectBatchOnFunctionError: true", id)
	}
	if len(list(at(props, "FilterCriteria", "Filters"))) == 0 {
		f.add("%s: every change of the table invokes the function: set FilterCriteria", id)
	}
	s.destination(id, at(props, "DestinationConfig", "OnFailure", "Destination"), f)
	if !s.watched("IteratorAge", ref(props["FunctionName"]), s.inTime) {
		f.add("%s: no alarm watches the IteratorAge of %s and fires at %d s", id, ref(props["FunctionName"]), LongestDelay)
	}
}

// destination checks that failed invocations of a source go to a queue that its function may send to.
func (s Stack) destination(id string, destination any, f *faults) {
	queue := attribute(destination, "Arn")
	switch {
	case !s.is(queue, typeQueue):
		f.add("%s: set DestinationConfig: {OnFailure: {Type: SQS, Destination: !GetAtt Queue.Arn}}", id)
	case s.truth(s.Resources[queue].Properties["FifoQueue"]):
		f.add("%s: Lambda cannot send to %s, which is a FIFO queue", id, queue)
	case !s.maySend(strings.TrimSuffix(s.functionOf(id), "Function")+"Role", queue):
		f.add("%s: the role of %s may not send to %s", id, s.functionOf(id), queue)
	}
}

// functionOf returns the function of a source or an invoke configuration.
func (s Stack) functionOf(id string) string { return ref(s.Resources[id].Properties["FunctionName"]) }

func (s Stack) maySend(role, queue string) bool {
	for _, policy := range list(at(s.Resources[role].Properties, "Policies")) {
		for _, st := range statements(at(policy, "PolicyDocument", "Statement"), "") {
			if slices.Contains(st.actions, any("sqs:SendMessage")) && slices.Contains(names(st.resources), queue) {
				return true
			}
		}
	}
	return false
}

// rule checks a schedule. EventBridge hands its event to Lambda, which invokes the function: both retry, and
// each has its own queue for what failed.
func (s Stack) rule(id string, f *faults) {
	for _, target := range list(s.Resources[id].Properties["Targets"]) {
		function := attribute(at(target, "Arn"), "Arn")
		if !s.is(function, typeFunction) {
			f.add("%s: its target is %v, want a function of this stack, without an alias", id, at(target, "Arn"))
			continue
		}
		retries, okRetries := s.number(at(target, "RetryPolicy", "MaximumRetryAttempts"))
		age, okAge := s.number(at(target, "RetryPolicy", "MaximumEventAgeInSeconds"))
		if !okRetries || !okAge || retries < 1 || age < 60 {
			f.add("%s: set RetryPolicy with MaximumRetryAttempts and MaximumEventAgeInSeconds", id)
		}
		dead := attribute(at(target, "DeadLetterConfig", "Arn"), "Arn")
		if !s.is(dead, typeQueue) || !s.lets("events.amazonaws.com", dead) {
			f.add("%s: set DeadLetterConfig: {Arn: !GetAtt Queue.Arn} to a queue whose policy lets events.amazonaws.com send", id)
		}
		i := slices.IndexFunc(s.of(typeInvokes), func(config string) bool { return s.functionOf(config) == function })
		if i < 0 {
			f.add("%s: %s has no EventInvokeConfig: set its MaximumEventAgeInSeconds, MaximumRetryAttempts and DestinationConfig", id, function)
			continue
		}
		config := s.of(typeInvokes)[i]
		props := s.Resources[config].Properties
		retries, okRetries = s.number(props["MaximumRetryAttempts"])
		age, okAge = s.number(props["MaximumEventAgeInSeconds"])
		if !okRetries || !okAge || retries < 1 || age < 60 {
			f.add("%s: set MaximumRetryAttempts and MaximumEventAgeInSeconds", config)
		}
		s.destination(config, at(props, "DestinationConfig", "OnFailure", "Destination"), f)
	}
}

// lets reports whether a queue's policy lets a service send to it.
func (s Stack) lets(service, queue string) bool {
	return slices.ContainsFunc(s.of(typeQueuePolicy), func(id string) bool {
		props := s.Resources[id].Properties
		if !slices.ContainsFunc(list(props["Queues"]), func(q any) bool { return ref(q) == queue }) {
			return false
		}
		return slices.ContainsFunc(list(at(props, "PolicyDocument", "Statement")), func(st any) bool {
			return text(st, "Effect") == "Allow" && fmt.Sprint(at(st, "Principal", "Service")) == service &&
				slices.Contains(list(at(st, "Action")), any("sqs:SendMessage")) && slices.Contains(names(at(st, "Resource")), queue) &&
				at(st, "Condition") != nil
		})
	})
}

// watched reports whether an alarm that fires as it should watches a metric of a resource.
func (s Stack) watched(metric, resource string, fires func(alarm string) bool) bool {
	return slices.ContainsFunc(s.of(typeAlarm), func(id string) bool {
		if !fires(id) {
			return false
		}
		var ignored faults
		props := s.Resources[id].Properties
		for _, m := range append(s.mathOf(id, &ignored), props) {
			if text(m, "MetricName") != metric {
				continue
			}
			for _, d := range list(m["Dimensions"]) {
				if slices.Contains(names(at(d, "Value")), resource) {
					return true
				}
			}
		}
		return false
	})
}
