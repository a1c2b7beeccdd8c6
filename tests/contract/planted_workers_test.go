package contract_test

import (
	"strings"
	"testing"

	"github.com/tienda-dev/tienda/local/template"
	"github.com/tienda-dev/tienda/tests/contract"
	"github.com/tienda-dev/tienda/tools/dist"
)

const workerTemplate = `
Transform: AWS::Serverless-2016-10-31
Resources:
  Queue: {Type: AWS::SQS::Queue}
  CountThingsFunction:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: provided.al2023
      Architectures: [arm64]
      Handler: bootstrap
      CodeUri: dist/count-things
      Events:
        Queue: {Type: SQS, Properties: {Queue: !GetAtt Queue.Arn}}
`

func TestInvokedNamesTheFunctionThatNothingInvokes(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		old, new string
		want     []string
	}{
		"Fine":    {"", "", nil},
		"NoEvent": {"      Events:\n        Queue: {Type: SQS, Properties: {Queue: !GetAtt Queue.Arn}}\n", "", []string{"nothing invokes CountThingsFunction"}},
		"Alias":   {"      Handler:", "      AutoPublishAlias: live\n      Handler:", []string{`CountThingsFunction has the alias "live"`}},
		"Name":    {"  CountThingsFunction:", "  CountFunction:", []string{"want CountThingsFunction and dist/count-things"}},
		"CodeUri": {"dist/count-things", "build/count-things", []string{"want CountThingsFunction and dist/count-things"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			model, err := template.Read("template.yaml", []byte(strings.Replace(workerTemplate, tt.old, tt.new, 1)), template.Options{})
			if err != nil {
				t.Fatal(err)
			}
			contract.Expect(t, contract.Invoked(model), tt.want...)
		})
	}
}

func TestWorkerMainNamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	fn := dist.Function{Name: "count-things", Folder: "functions/things/count-things"}
	const good = "func main() { process.Func(build) }\n\treturn things.CountThings(x), nil\n"
	for name, tt := range map[string]struct {
		source string
		want   []string
	}{
		"Fine":         {good, nil},
		"OtherDoor":    {strings.Replace(good, "process.", "app.", 1), []string{"call process.Func(build)"}},
		"OtherHandler": {strings.Replace(good, "CountThings", "Count", 1), []string{"return things.CountThings(…)"}},
		"Long":         {good + strings.Repeat("\n", 40), []string{"lines, want at most"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			contract.Expect(t, contract.WorkerMain(fn, tt.source), tt.want...)
		})
	}
}

func TestWorkerEventNamesWhatLambdaWouldNotSend(t *testing.T) {
	t.Parallel()
	streamed := template.Function{Sources: []template.Source{{Table: "Table"}}}
	queued := template.Function{Sources: []template.Source{{Queue: "Queue"}}}
	scheduled := template.Function{Schedules: []template.Schedule{{}}}
	const message = `{"Records":[{"messageId":"1","receiptHandle":"r","eventSource":"aws:sqs","eventSourceARN":"arn:aws:sqs:eu-central-1:123456789012:q.fifo",` +
		`"attributes":{"MessageGroupId":"o","MessageDeduplicationId":"01KJKR6000ABCDEFGHJKMNPQRS"},` +
		`"body":"{\"specversion\":\"1.0\",\"id\":\"01KJKR6000ABCDEFGHJKMNPQRS\",\"source\":\"/order\",\"type\":\"order.created\",\"subject\":\"o\",\"time\":\"2027-03-01T12:00:00.000Z\",\"data\":{}}"}]}`
	const tick = `{"version":"0","id":"x","detail-type":"Scheduled Event","source":"aws.events","account":"123456789012","time":"2027-03-01T12:00:00Z",` +
		`"region":"eu-central-1","resources":["arn:aws:events:eu-central-1:123456789012:rule/r"],"detail":{}}`
	stream := read(t, "events/dispatch-events.json")
	for name, tt := range map[string]struct {
		fn       template.Function
		event    string
		old, new string
		want     []string
	}{
		"StreamFine":       {streamed, stream, "", "", nil},
		"StreamModify":     {streamed, stream, "INSERT", "MODIFY", []string{"want an INSERT"}},
		"StreamNoEvent":    {streamed, stream, `"event": {`, `"other": {`, []string{"no event"}},
		"StreamEmpty":      {streamed, `{"Records":[]}`, "", "", []string{"the batch is empty"}},
		"StreamUnknown":    {streamed, stream, `"eventID"`, `"eventId2"`, []string{"unknown field"}},
		"QueueFine":        {queued, message, "", "", nil},
		"QueueOtherGroup":  {queued, message, `"MessageGroupId":"o"`, `"MessageGroupId":"x"`, []string{`its group is "x"`}},
		"QueueStandard":    {queued, message, "q.fifo", "q", []string{"the ARN of a FIFO queue"}},
		"QueueNoEvent":     {queued, message, "specversion", "version", []string{"specversion"}},
		"QueueEmpty":       {queued, `{"Records":[]}`, "", "", []string{"the batch is empty"}},
		"ScheduleFine":     {scheduled, tick, "", "", nil},
		"ScheduleByHand":   {scheduled, tick, "aws.events", "me", []string{"want what EventBridge sends"}},
		"ScheduleUnwanted": {scheduled, tick, `"version"`, `"ersion"`, []string{"unknown field"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			contract.Expect(t, contract.WorkerEvent(tt.fn, []byte(strings.Replace(tt.event, tt.old, tt.new, 1))), tt.want...)
		})
	}
}
