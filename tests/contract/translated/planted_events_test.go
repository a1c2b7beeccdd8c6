package translated_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tienda-dev/tienda/tests/contract/translated"
)

func without(id string, path ...string) func(translated.Stack) {
	return func(s translated.Stack) {
		last := len(path) - 1
		delete(props(s, id, path[:last]...), path[last])
	}
}

func with(value any, id string, path ...string) func(translated.Stack) {
	return func(s translated.Stack) {
		last := len(path) - 1
		props(s, id, path[:last]...)[path[last]] = value
	}
}

func TestAsynchronousNamesWhatIsMissingOnAStream(t *testing.T) {
	t.Parallel()
	const source = "DispatchEventsFunctionStream"
	red(t, translated.Asynchronous, map[string]plant{
		"NoRetries":       {without(source, "MaximumRetryAttempts"), []string{source + ": set MaximumRetryAttempts"}},
		"EndlessRetries":  {with(-1.0, source, "MaximumRetryAttempts"), []string{source + ": set MaximumRetryAttempts"}},
		"NoAge":           {without(source, "MaximumRecordAgeInSeconds"), []string{"its MaximumRecordAgeInSeconds is <nil>"}},
		"OlderThanStream": {with(604800.0, source, "MaximumRecordAgeInSeconds"), []string{"its MaximumRecordAgeInSeconds is 604800"}},
		"NoBisect":        {without(source, "BisectBatchOnFunctionError"), []string{"set BisectBatchOnFunctionError"}},
		"NoFilter":        {without(source, "FilterCriteria"), []string{"set FilterCriteria"}},
		"WholeBatches":    {without(source, "FunctionResponseTypes"), []string{"set FunctionResponseTypes"}},
		"NoDestination":   {without(source, "DestinationConfig"), []string{source + ": set DestinationConfig"}},
		"FIFODestination": {with(getAtt("OrderEventsDeadLetters", "Arn"), source, "DestinationConfig", "OnFailure", "Destination"), []string{"which is a FIFO queue"}},
		"MayNotSend":      {with([]any{}, "DispatchEventsRole", "Policies"), []string{"the role of DispatchEventsFunction may not send to FailuresQueue"}},
		"ByAlias":         {with(ref("CreateProductFunctionAliaslive"), source, "FunctionName"), []string{"without an alias", "no alarm watches the IteratorAge", "the role of"}},
		"ForeignStream":   {with("arn:aws:dynamodb:stream", source, "EventSourceArn"), []string{"want a queue or the stream of a table"}},
		"MoreRetries":     {with(101.0, source, "MaximumRetryAttempts"), []string{"docs/events.md promises 100"}},
		"OlderThanPromised": {
			with(21601.0, source, "MaximumRecordAgeInSeconds"), []string{"its MaximumRecordAgeInSeconds is 21601, want at most the 21600"},
		},
		"AlarmTooLate": {
			with(601.0, "EventsDelayedAlarm", "Threshold"),
			[]string{"no alarm watches the IteratorAge of DispatchEventsFunction and fires at 600 s", "OrderEventsQueue: no alarm watches its ApproximateAge", "PaymentEventsQueue: no alarm watches its ApproximateAge"},
		},
		"AlarmAfterHours": {
			with(60.0, "EventsDelayedAlarm", "EvaluationPeriods"),
			[]string{"no alarm watches the IteratorAge", "OrderEventsQueue: no alarm", "PaymentEventsQueue: no alarm"},
		},
		"NobodyWatchesAge": {func(s translated.Stack) { delete(s.Resources, "EventsDelayedAlarm") }, []string{"no alarm watches the IteratorAge", "OrderEventsQueue: no alarm watches its Approx", "PaymentEventsQueue: no alarm watches its Approx"}},
	})
}

func TestAsynchronousNamesWhatIsMissingOnAQueue(t *testing.T) {
	t.Parallel()
	const queue, dead = "OrderEventsQueue", "OrderEventsDeadLetters"
	unwatched := []string{dead + ": no alarm", "PaymentEventsDeadLetters: no alarm", "FailuresQueue: no alarm"}
	red(t, translated.Asynchronous, map[string]plant{
		"InClear":            {without(queue, "SqsManagedSseEnabled"), []string{queue + ": it is not encrypted"}},
		"DeadLettersInClear": {with(false, dead, "SqsManagedSseEnabled"), []string{dead + ": it is not encrypted"}},
		"OwnKey": {func(s translated.Stack) {
			delete(props(s, queue), "SqsManagedSseEnabled")
			props(s, queue)["KmsMasterKeyId"] = "alias/aws/sqs"
		}, nil},
		"NoRetention":         {without(queue, "MessageRetentionPeriod"), []string{queue + ": say how long it keeps"}},
		"ShortDeadLetters":    {with(345600.0, dead, "MessageRetentionPeriod"), []string{dead + ": it keeps what failed for 345600"}},
		"RetentionAsDead":     {with(1209600.0, queue, "MessageRetentionPeriod"), []string{queue + ": it keeps messages as long as"}},
		"NoDeadLetters":       {without(queue, "RedrivePolicy"), []string{queue + ": set RedrivePolicy"}},
		"OneTry":              {with(1.0, queue, "RedrivePolicy", "maxReceiveCount"), []string{queue + ": set RedrivePolicy"}},
		"SoonVisible":         {with(30.0, queue, "VisibilityTimeout"), []string{queue + ": its VisibilityTimeout is 30"}},
		"WholeBatches":        {without("AdvanceOrdersFunctionQueue", "FunctionResponseTypes"), []string{"set FunctionResponseTypes"}},
		"NobodyReads":         {func(s translated.Stack) { delete(s.Resources, "AdvanceOrdersFunctionQueue") }, []string{queue + ": it has a dead-letter queue, but no function"}},
		"NoPermanentFailures": {without("AdvanceOrdersFunction", "Environment", "Variables", "DEAD_LETTERS_QUEUE_URL"), []string{"set DEAD_LETTERS_QUEUE_URL: !Ref " + dead}},
		"NobodyWatches":       {func(s translated.Stack) { delete(s.Resources, "DeadLettersAlarm") }, unwatched},
		"AlarmAtTwo":          {with(1.0, "DeadLettersAlarm", "Threshold"), unwatched},
		"AlarmWhenEmpty":      {with("LessThanThreshold", "DeadLettersAlarm", "ComparisonOperator"), unwatched},
		"AlarmAfterTwoMore":   {with(3.0, "DeadLettersAlarm", "EvaluationPeriods"), unwatched},
		"AlarmOnTheAverage": {func(s translated.Stack) {
			for _, query := range props(s, "DeadLettersAlarm")["Metrics"].([]any) {
				if stat, ok := query.(map[string]any)["MetricStat"].(map[string]any); ok {
					stat["Stat"] = "Average"
				}
			}
		}, unwatched},
		"OneMoreDelivery": {with(6.0, queue, "RedrivePolicy", "maxReceiveCount"), []string{queue + ": a failing message holds its group for 540 s, want at most the 450 s"}},
		"HiddenForLonger": {with(151.0, "PaymentEventsQueue", "VisibilityTimeout"), []string{"PaymentEventsQueue: a failing message holds its group for 3020 s, want at most the 3000 s"}},
		"QueueOfNoBound": {func(s translated.Stack) {
			s.Resources["OtherQueue"] = s.Resources[queue]
			props(s, "AdvanceOrdersFunctionQueue")["EventSourceArn"] = getAtt("OtherQueue", "Arn")
		}, []string{"OtherQueue: state in docs/events.md", "OtherQueue: no alarm watches its Approx", queue + ": it has a dead-letter queue, but no function"}},
	})
}

func TestAsynchronousNamesWhatIsMissingOnASchedule(t *testing.T) {
	t.Parallel()
	const rule, config = "ExpireOrdersFunctionSchedule", "ExpireOrdersFunctionEventInvokeConfig"
	target := func(s translated.Stack) map[string]any { return props(s, rule)["Targets"].([]any)[0].(map[string]any) }
	drop := func(name string) func(translated.Stack) {
		return func(s translated.Stack) { delete(target(s), name) }
	}
	red(t, translated.Asynchronous, map[string]plant{
		"NoRetryPolicy": {drop("RetryPolicy"), []string{rule + ": set RetryPolicy"}},
		"NoAge": {func(s translated.Stack) {
			delete(target(s)["RetryPolicy"].(map[string]any), "MaximumEventAgeInSeconds")
		}, []string{rule + ": set RetryPolicy"}},
		"NoDeadLetters": {drop("DeadLetterConfig"), []string{rule + ": set DeadLetterConfig"}},
		"NoQueuePolicy": {func(s translated.Stack) { delete(s.Resources, "FailuresQueuePolicy") }, []string{
			rule + ": set DeadLetterConfig", "CheckInvariantsFunctionSchedule: set Dead", "SumCategoriesFunctionSchedule: set Dead", "ReconcilePaymentsFunctionSchedule: set Dead",
		}},
		"NoInvokeConfig":  {func(s translated.Stack) { delete(s.Resources, config) }, []string{"ExpireOrdersFunction has no EventInvokeConfig"}},
		"NoInvokeRetries": {without(config, "MaximumRetryAttempts"), []string{config + ": set MaximumRetryAttempts"}},
		"NoInvokeAge":     {without(config, "MaximumEventAgeInSeconds"), []string{config + ": set MaximumRetryAttempts and MaximumEventAge"}},
		"NoDestination":   {without(config, "DestinationConfig"), []string{config + ": set DestinationConfig"}},
		"MayNotSend":      {with([]any{}, "ExpireOrdersRole", "Policies"), []string{"the role of ExpireOrdersFunction may not send to FailuresQueue"}},
		"AnotherAccount":  {func(s translated.Stack) { target(s)["Arn"] = "arn:aws:lambda:eu-west-1:1:function:x" }, []string{"want a function of this stack"}},
		"ConditionRemoved": {func(s translated.Stack) {
			for _, st := range props(s, "FailuresQueuePolicy", "PolicyDocument")["Statement"].([]any) {
				delete(st.(map[string]any), "Condition")
			}
		}, []string{rule + ": set Dead", "CheckInvariantsFunctionSchedule: set Dead", "SumCategoriesFunctionSchedule: set Dead", "ReconcilePaymentsFunctionSchedule: set Dead"}},
	})
}

// The bounds that Asynchronous holds are those that the guide promises.
func TestBoundsAreThoseOfTheGuide(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join(root, "docs", "events.md"))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{fmt.Sprintf("| A stream record is tried | %d times or %d hours", translated.StreamRetries, translated.StreamAge/3600)}
	for queue, b := range translated.Bounds() {
		want = append(want, fmt.Sprintf("%v deliveries, %v s apart: %v minutes | %s |", b.Deliveries, b.Seconds, b.Deliveries*b.Seconds/60, queue))
	}
	for _, row := range want {
		if !strings.Contains(string(text), row) {
			t.Errorf("docs/events.md does not say %q", row)
		}
	}
}
