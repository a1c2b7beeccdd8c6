package template_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/tienda-dev/tienda/local/filter"
	"github.com/tienda-dev/tienda/local/schedule"
	"github.com/tienda-dev/tienda/local/template"
)

// asynchronous is a template in which nothing is invoked by a request.
const asynchronous = `Transform: AWS::Serverless-2016-10-31
Globals:
  Function:
    Runtime: provided.al2023
    Handler: bootstrap
    Timeout: 30
    AutoPublishAlias: live
Resources:
  DispatchFunction:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: dist/dispatch
      AutoPublishAlias: !Ref AWS::NoValue
      Environment:
        Variables:
          URL: !Ref Orders
          SAME: !GetAtt Orders.QueueUrl
          ARN: !GetAtt Orders.Arn
          NAME: !GetAtt Dead.QueueName
          STREAM: !Sub '${Things.StreamArn}'
      Events:
        Changes:
          Type: DynamoDB
          Properties:
            Stream: !GetAtt Things.StreamArn
            StartingPosition: TRIM_HORIZON
            BatchSize: 50
            MaximumBatchingWindowInSeconds: 1
            ParallelizationFactor: 2
            BisectBatchOnFunctionError: true
            MaximumRetryAttempts: 5
            MaximumRecordAgeInSeconds: 3600
            FunctionResponseTypes: [ReportBatchItemFailures]
            FilterCriteria:
              Filters:
                - Pattern: '{"eventName":["INSERT"]}'
            DestinationConfig:
              OnFailure: {Type: SQS, Destination: !GetAtt Failed.Arn}
        Off:
          Type: DynamoDB
          Properties: {Stream: !GetAtt Things.StreamArn, StartingPosition: LATEST, Enabled: false}
  WorkFunction:
    Type: AWS::Serverless::Function
    IgnoreGlobals: [AutoPublishAlias]
    Properties:
      CodeUri: dist/work
      EventInvokeConfig:
        MaximumRetryAttempts: 1
        MaximumEventAgeInSeconds: 300
        DestinationConfig: {OnFailure: {Type: SQS, Destination: !GetAtt Failed.Arn}}
      Events:
        Orders:
          Type: SQS
          Properties:
            Queue: !GetAtt Orders.Arn
            FunctionResponseTypes: [ReportBatchItemFailures]
            ScalingConfig: {MaximumConcurrency: 5}
        Minute:
          Type: Schedule
          Properties: {Schedule: rate(1 minute), Description: often, Input: '{"a":1}'}
        Night:
          Type: ScheduleV2
          Properties:
            ScheduleExpression: cron(0 3 * * ? *)
            FlexibleTimeWindow: {Mode: 'OFF'}
            RetryPolicy: {MaximumRetryAttempts: 2}
  Orders:
    Type: AWS::SQS::Queue
    Properties:
      FifoQueue: true
      ContentBasedDeduplication: true
      DeduplicationScope: messageGroup
      VisibilityTimeout: 180
      MessageRetentionPeriod: 1209600
      SqsManagedSseEnabled: true
      RedrivePolicy: {deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: 4}
  Dead:
    Type: AWS::SQS::Queue
    Properties: {FifoQueue: true, KmsMasterKeyId: alias/aws/sqs}
  Failed:
    Type: AWS::SQS::Queue
    Properties: {DelaySeconds: 1}
  Policy:
    Type: AWS::SQS::QueuePolicy
    Properties: {Queues: [!Ref Failed]}
  Group:
    Type: AWS::Scheduler::ScheduleGroup
  Things:
    Type: AWS::DynamoDB::Table
    Properties:
      AttributeDefinitions: [{AttributeName: PK, AttributeType: S}]
      KeySchema: [{AttributeName: PK, KeyType: HASH}]
      StreamSpecification: {StreamViewType: NEW_IMAGE}
`

func TestReadAsynchronous(t *testing.T) {
	t.Parallel()
	got := read(t, asynchronous, template.Options{})
	dispatch, _ := got.Function("DispatchFunction")
	work, _ := got.Function("WorkFunction")

	t.Run("Queues", func(t *testing.T) {
		t.Parallel()
		want := []template.Queue{
			{
				LogicalID: "Orders", Name: "Orders.fifo", FIFO: true, ContentDeduplication: true, GroupDeduplication: true,
				VisibilityTimeout: 3 * time.Minute, Retention: 14 * 24 * time.Hour, DeadLetter: "Dead", MaxReceives: 4,
			},
			{LogicalID: "Dead", Name: "Dead.fifo", FIFO: true, VisibilityTimeout: 30 * time.Second, Retention: 96 * time.Hour},
			{LogicalID: "Failed", Name: "Failed", VisibilityTimeout: 30 * time.Second, Retention: 96 * time.Hour, Delay: time.Second},
		}
		if diff := cmp.Diff(want, got.Queues, cmpopts.IgnoreUnexported(template.Queue{})); diff != "" {
			t.Error(diff)
		}
	})

	t.Run("References", func(t *testing.T) {
		t.Parallel()
		want := map[string]string{
			"URL":    "http://sqs.localhost/123456789012/Orders.fifo",
			"SAME":   "http://sqs.localhost/123456789012/Orders.fifo",
			"ARN":    "arn:aws:sqs:us-east-1:123456789012:Orders.fifo",
			"NAME":   "Dead.fifo",
			"STREAM": "arn:aws:dynamodb:us-east-1:123456789012:table/Things/stream/local",
		}
		if diff := cmp.Diff(want, dispatch.Environment); diff != "" {
			t.Error(diff)
		}
	})

	t.Run("Sources", func(t *testing.T) {
		t.Parallel()
		want := []template.Source{
			{
				Name: "Changes", Table: "Things", BatchSize: 50, Window: time.Second, Parallelization: 2, Bisect: true, MaxRetries: 5,
				MaxAge: time.Hour, PartialFailures: true, OnFailure: "Failed",
			},
			{Name: "Orders", Queue: "Orders", BatchSize: 10, PartialFailures: true, MaxConcurrency: 5},
		}
		ignored := cmpopts.IgnoreFields(template.Source{}, "Filters")
		if diff := cmp.Diff(want, append(dispatch.Sources, work.Sources...), ignored, cmpopts.IgnoreUnexported(template.Source{})); diff != "" {
			t.Error(diff)
		}
		if f := dispatch.Sources[0].Filters; len(f) != 1 || f[0].String() != `{"eventName":["INSERT"]}` {
			t.Errorf("got the filters %v", f)
		}
	})

	t.Run("SchedulesAndWhatHappensToTheirFailures", func(t *testing.T) {
		t.Parallel()
		want := []template.Schedule{
			{Name: "Minute", Expression: "rate(1 minute)", Input: `{"a":1}`},
			{Name: "Night", Expression: "cron(0 3 * * ? *)", Scheduler: true},
		}
		if diff := cmp.Diff(want, work.Schedules, cmpopts.IgnoreTypes(schedule.Schedule{}, filter.Pattern{})); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff(template.Async{MaxRetries: 1, MaxAge: 5 * time.Minute, OnFailure: "Failed"}, work.Async); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff(template.Async{MaxRetries: 2, MaxAge: 6 * time.Hour}, dispatch.Async); diff != "" {
			t.Error(diff)
		}
	})

	t.Run("FunctionsWithoutAnAlias", func(t *testing.T) {
		t.Parallel()
		if dispatch.Alias != "" || work.Alias != "" || !got.Asynchronous() {
			t.Errorf("got the aliases %q and %q, asynchronous %v", dispatch.Alias, work.Alias, got.Asynchronous())
		}
	})
}

// TestAsynchronousRefusals changes one line of the template and expects that line in the error.
func TestAsynchronousRefusals(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ old, new, want string }{
		"OtherEvent":              {"Type: SQS\n", "Type: SNS\n", "the event Orders of WorkFunction is of type SNS"},
		"QueueByRef":              {"Queue: !GetAtt Orders.Arn", "Queue: !Ref Orders", "by Queue: !GetAtt Queue.Arn"},
		"QueueThatIsATable":       {"Queue: !GetAtt Orders.Arn", "Queue: !GetAtt Things.Arn", "reads Things, which is not a queue"},
		"StreamByArn":             {"Stream: !GetAtt Things.StreamArn\n", "Stream: arn:aws:dynamodb:x\n", "by Stream: !GetAtt Table.StreamArn"},
		"TableWithoutAStream":     {"      StreamSpecification: {StreamViewType: NEW_IMAGE}\n", "", "reads Things, which is not a table with a StreamSpecification"},
		"ReferenceToNoStream":     {"      StreamSpecification: {StreamViewType: NEW_IMAGE}\n", "", "Things has no StreamSpecification, so it has no StreamArn"},
		"PositionInTime":          {"StartingPosition: TRIM_HORIZON", "StartingPosition: AT_TIMESTAMP", `StartingPosition "AT_TIMESTAMP"`},
		"Tumbling":                {"BatchSize: 50", "TumblingWindowInSeconds: 5", "has TumblingWindowInSeconds"},
		"BatchTooLarge":           {"BatchSize: 50", "BatchSize: 10001", "BatchSize must be from 1 to 10000"},
		"UnknownResponse":         {"FunctionResponseTypes: [ReportBatchItemFailures]", "FunctionResponseTypes: [Report]", "the FunctionResponseTypes Report"},
		"UnsupportedPattern":      {`["INSERT"]`, `[{"wildcard":"I*"}]`, "wildcard, which is not supported"},
		"FilterWithoutAPattern":   {`Pattern: '{"eventName":["INSERT"]}'`, `Patterns: '{}'`, "a filter of the event Changes of DispatchFunction has Patterns"},
		"DestinationOfTopic":      {"OnFailure: {Type: SQS, Destination: !GetAtt Failed.Arn}\n        Off", "OnFailure: {Type: SNS, Destination: !GetAtt Failed.Arn}\n        Off", "an OnFailure of the Type SQS"},
		"DestinationIsFIFO":       {"OnFailure: {Type: SQS, Destination: !GetAtt Failed.Arn}\n        Off", "OnFailure: {Type: SQS, Destination: !GetAtt Dead.Arn}\n        Off", "the OnFailure destination Dead, which is not a standard queue"},
		"AsyncDestinationIsFIFO":  {"DestinationConfig: {OnFailure: {Type: SQS, Destination: !GetAtt Failed.Arn}}", "DestinationConfig: {OnFailure: {Type: SQS, Destination: !GetAtt Dead.Arn}}", "EventInvokeConfig of WorkFunction has the OnFailure destination Dead"},
		"OnSuccess":               {"DestinationConfig: {OnFailure:", "DestinationConfig: {OnSuccess:", "has OnSuccess"},
		"TooManyAsyncRetries":     {"MaximumRetryAttempts: 1\n", "MaximumRetryAttempts: 3\n", "MaximumRetryAttempts must be from 0 to 2"},
		"FunctionsDeadLetters":    {"CodeUri: dist/work", "CodeUri: dist/work\n      DeadLetterQueue: {Type: SQS}", "WorkFunction has DeadLetterQueue"},
		"BadSchedule":             {"rate(1 minute)", "rate(1 second)", "the event Minute of WorkFunction cannot be served"},
		"ScheduleUntil":           {"FlexibleTimeWindow: {Mode: 'OFF'}", "EndDate: '2030-01-01T00:00:00Z'", "has EndDate"},
		"HiddenTooShort":          {"VisibilityTimeout: 180", "VisibilityTimeout: 29", "whose VisibilityTimeout is below the function's Timeout of 30s"},
		"WindowOfAFIFOQueue":      {"Queue: !GetAtt Orders.Arn", "Queue: !GetAtt Orders.Arn\n            MaximumBatchingWindowInSeconds: 1", "reads a FIFO queue"},
		"DeadLettersOfOtherOrder": {"Properties: {FifoQueue: true, KmsMasterKeyId", "Properties: {FifoQueue: false, KmsMasterKeyId", "the dead-letter queue of Orders must be FIFO exactly when Orders is"},
		"DeadLettersToNowhere":    {"deadLetterTargetArn: !GetAtt Dead.Arn", "deadLetterTargetArn: arn:aws:sqs:x", "RedrivePolicy of Orders must name its queue"},
		"OwnDeadLetters":          {"deadLetterTargetArn: !GetAtt Dead.Arn", "deadLetterTargetArn: !GetAtt Orders.Arn", "Orders is its own dead-letter queue"},
		"ReceivesOfZero":          {"maxReceiveCount: 4", "maxReceiveCount: 0", "a maxReceiveCount from 1 to 1000"},
		"RetentionTooShort":       {"MessageRetentionPeriod: 1209600", "MessageRetentionPeriod: 59", "MessageRetentionPeriod must be from 60"},
		"QueueAttribute":          {"NAME: !GetAtt Dead.QueueName", "NAME: !GetAtt Dead.Url", "attribute Url of Dead"},
		"RuleResource":            {"Type: AWS::SQS::QueuePolicy", "Type: AWS::Events::Rule", "Policy is an AWS::Events::Rule"},
		"MappingResource":         {"Type: AWS::SQS::QueuePolicy", "Type: AWS::Lambda::EventSourceMapping", "Policy is an AWS::Lambda::EventSourceMapping"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if !strings.Contains(asynchronous, tt.old) {
				t.Fatalf("the template has no %q", tt.old)
			}
			text := strings.Replace(asynchronous, tt.old, tt.new, 1)
			_, err := template.Read("template.yaml", []byte(text), template.Options{})
			var problem *template.Problem
			if !errors.As(err, &problem) || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("got %v, want it to say %q", err, tt.want)
			}
			if problem.Line < 2 {
				t.Errorf("got %v, want a line", err)
			}
		})
	}
}
