package queues

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/tienda-dev/tienda/local/template"
)

const (
	target     = "AmazonSQS."
	maxRequest = 2 * MaxBody
	maxWait    = 20 // seconds
	maxHidden  = 12 * 60 * 60
)

// ServeHTTP implements SQS's JSON protocol: SendMessage, SendMessageBatch, ReceiveMessage, DeleteMessage,
// DeleteMessageBatch, ChangeMessageVisibility, GetQueueUrl, GetQueueAttributes, ListQueues,
// ListDeadLetterSourceQueues and StartMessageMoveTask. It names another operation in its refusal.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	operation, ok := strings.CutPrefix(r.Header.Get("X-Amz-Target"), target)
	if r.Method != http.MethodPost || !ok {
		fail(w, &FaultError{"InvalidAction", "want a POST of SQS's JSON protocol with the header X-Amz-Target"})
		return
	}
	serve, ok := map[string]func(context.Context, request) (any, error){
		"SendMessage": s.sendMessage, "SendMessageBatch": s.sendMessageBatch, "ReceiveMessage": s.receiveMessage,
		"DeleteMessage": s.deleteMessage, "DeleteMessageBatch": s.deleteMessageBatch,
		"ChangeMessageVisibility": s.changeMessageVisibility, "GetQueueUrl": s.getQueueURL,
		"GetQueueAttributes": s.getQueueAttributes, "ListQueues": s.listQueues, "StartMessageMoveTask": s.startMessageMoveTask,
		"ListDeadLetterSourceQueues": s.listDeadLetterSourceQueues,
	}[operation]
	if !ok {
		fail(w, &FaultError{"UnsupportedOperation", "the local queues do not serve " + operation})
		return
	}
	var in request
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
	if err == nil {
		err = json.Unmarshal(body, &in)
	}
	if err != nil {
		fail(w, &FaultError{"SerializationException", err.Error()})
		return
	}
	out, err := serve(r.Context(), in)
	if err != nil {
		fail(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	_ = json.NewEncoder(w).Encode(out) // the client has gone
}

// request has the members of all requests.
type request struct {
	entry
	QueueURL            string `json:"QueueUrl"`
	QueueName           string
	QueueNamePrefix     string
	Entries             []entry
	MaxNumberOfMessages *int
	WaitTimeSeconds     int
	SourceArn           string
	DestinationArn      string
}

// entry has the members of a request that a batch has for each message.
type entry struct {
	ID                      string `json:"Id"`
	MessageBody             string
	MessageGroupID          string `json:"MessageGroupId"`
	MessageDeduplicationID  string `json:"MessageDeduplicationId"`
	DelaySeconds            *int
	MessageAttributes       map[string]Attribute
	MessageSystemAttributes map[string]Attribute
	ReceiptHandle           string
	VisibilityTimeout       *int
}

// queueName returns the name at the end of a URL or an ARN.
func queueName(reference string) string {
	return reference[strings.LastIndexAny(reference, "/:")+1:]
}

type sent struct {
	ID               string `json:"Id,omitempty"`
	MessageID        string `json:"MessageId"`
	MD5OfMessageBody string
	SequenceNumber   string `json:",omitempty"`
}

type failed struct {
	ID          string `json:"Id"`
	Code        string
	Message     string
	SenderFault bool
}

func (s *Server) send(url string, e entry) (sent, error) {
	m := Message{
		Body: e.MessageBody, Group: e.MessageGroupID, Deduplication: e.MessageDeduplicationID,
		Attributes: e.MessageAttributes, TraceHeader: e.MessageSystemAttributes["AWSTraceHeader"].StringValue,
	}
	if e.DelaySeconds != nil {
		if *e.DelaySeconds < 0 || *e.DelaySeconds > 900 {
			return sent{}, &FaultError{"InvalidParameterValue", "DelaySeconds must be from 0 to 900."}
		}
		delay := time.Duration(*e.DelaySeconds) * time.Second
		m.Delay = &delay
	}
	id, sequence, err := s.Send(queueName(url), m)
	return sent{ID: e.ID, MessageID: id, SequenceNumber: sequence, MD5OfMessageBody: checksum(e.MessageBody)}, err
}

func (s *Server) sendMessage(_ context.Context, in request) (any, error) {
	return s.send(in.QueueURL, in.entry)
}

var entryID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$`)

// batch calls do for each entry and collects the outcomes.
func batch[T any](in request, do func(entry) (T, error)) (any, error) {
	size, ids := 0, map[string]bool{}
	for _, e := range in.Entries {
		if !entryID.MatchString(e.ID) {
			return nil, &FaultError{"InvalidBatchEntryId", fmt.Sprintf("%q is not an id of a batch entry", e.ID)}
		}
		if ids[e.ID] {
			return nil, &FaultError{"BatchEntryIdsNotDistinct", "Id " + e.ID + " repeated."}
		}
		ids[e.ID] = true
		size += len(e.MessageBody)
	}
	switch {
	case len(in.Entries) == 0:
		return nil, &FaultError{"EmptyBatchRequest", "There should be at least one entry in the request."}
	case len(in.Entries) > MaxBatch:
		return nil, &FaultError{"TooManyEntriesInBatchRequest", fmt.Sprintf("Maximum number of entries per request are %d. You have sent %d.", MaxBatch, len(in.Entries))}
	case size > MaxBody:
		return nil, &FaultError{"BatchRequestTooLong", fmt.Sprintf("Batch requests cannot be longer than %d bytes. You have sent %d bytes.", MaxBody, size)}
	}
	out := struct {
		Successful []T
		Failed     []failed
	}{Successful: []T{}, Failed: []failed{}}
	for _, e := range in.Entries {
		done, err := do(e)
		if errors.Is(err, ErrNoQueue) {
			return nil, err
		}
		if err != nil {
			out.Failed = append(out.Failed, failed{ID: e.ID, Code: code(err), Message: err.Error(), SenderFault: true})
			continue
		}
		out.Successful = append(out.Successful, done)
	}
	return out, nil
}

func (s *Server) sendMessageBatch(_ context.Context, in request) (any, error) {
	return batch(in, func(e entry) (sent, error) { return s.send(in.QueueURL, e) })
}

func (s *Server) deleteMessage(_ context.Context, in request) (any, error) {
	return struct{}{}, s.Delete(queueName(in.QueueURL), in.ReceiptHandle)
}

func (s *Server) deleteMessageBatch(_ context.Context, in request) (any, error) {
	type deleted struct {
		ID string `json:"Id"`
	}
	return batch(in, func(e entry) (deleted, error) {
		return deleted{e.ID}, s.Delete(queueName(in.QueueURL), e.ReceiptHandle)
	})
}

func (s *Server) changeMessageVisibility(_ context.Context, in request) (any, error) {
	if in.VisibilityTimeout == nil || *in.VisibilityTimeout < 0 || *in.VisibilityTimeout > maxHidden {
		return nil, &FaultError{"InvalidParameterValue", "VisibilityTimeout must be from 0 to 43200."}
	}
	return struct{}{}, s.Hide(queueName(in.QueueURL), in.ReceiptHandle, time.Duration(*in.VisibilityTimeout)*time.Second)
}

// received is a message as ReceiveMessage returns it.
type received struct {
	MessageID         string `json:"MessageId"`
	ReceiptHandle     string
	MD5OfBody         string
	Body              string
	Attributes        map[string]string
	MessageAttributes map[string]Attribute `json:",omitempty"`
}

// SystemAttributes returns the attributes that SQS gives to a message, with the name of its queue.
func (r Received) SystemAttributes() map[string]string {
	attributes := map[string]string{
		"ApproximateReceiveCount":          strconv.Itoa(r.Receives),
		"SentTimestamp":                    strconv.FormatInt(r.Sent.UnixMilli(), 10),
		"SenderId":                         "AIDALOCAL",
		"ApproximateFirstReceiveTimestamp": strconv.FormatInt(r.First.UnixMilli(), 10),
	}
	for name, value := range map[string]string{
		"SequenceNumber": r.Sequence, "MessageGroupId": r.Group, "MessageDeduplicationId": r.Deduplication,
		"AWSTraceHeader": r.TraceHeader,
	} {
		if value != "" {
			attributes[name] = value
		}
	}
	if r.Origin != "" {
		attributes["DeadLetterQueueSourceArn"] = template.QueueARN(r.Origin)
	}
	return attributes
}

func (s *Server) receiveMessage(ctx context.Context, in request) (any, error) {
	most := 1
	if in.MaxNumberOfMessages != nil {
		most = *in.MaxNumberOfMessages
	}
	visibility := time.Duration(-1)
	if in.VisibilityTimeout != nil {
		visibility = time.Duration(*in.VisibilityTimeout) * time.Second
	}
	if most < 1 || most > MaxBatch || in.WaitTimeSeconds < 0 || in.WaitTimeSeconds > maxWait || visibility > maxHidden*time.Second {
		return nil, &FaultError{"InvalidParameterValue", "MaxNumberOfMessages must be from 1 to 10, WaitTimeSeconds from 0 to 20, VisibilityTimeout to 43200."}
	}
	got, err := s.Receive(queueName(in.QueueURL), most, visibility)
	if err == nil && len(got) == 0 && in.WaitTimeSeconds > 0 {
		ctx, cancel := context.WithTimeout(ctx, time.Duration(in.WaitTimeSeconds)*time.Second)
		defer cancel()
		got, err = s.Await(ctx, queueName(in.QueueURL), most, visibility)
		if errors.Is(err, ctx.Err()) { // nothing arrived
			err = nil
		}
	}
	list := []received{}
	for _, m := range got {
		list = append(list, received{m.ID, m.Receipt, m.MD5, m.Body, m.SystemAttributes(), m.Attributes})
	}
	return map[string]any{"Messages": list}, err
}

func (s *Server) getQueueURL(_ context.Context, in request) (any, error) {
	_, err := s.Depth(in.QueueName)
	return map[string]string{"QueueUrl": template.QueueURL(in.QueueName)}, err
}

func (s *Server) listQueues(_ context.Context, in request) (any, error) {
	urls := []string{}
	for _, name := range s.Names() {
		if strings.HasPrefix(name, in.QueueNamePrefix) {
			urls = append(urls, template.QueueURL(name))
		}
	}
	return map[string][]string{"QueueUrls": urls}, nil
}

func (s *Server) listDeadLetterSourceQueues(_ context.Context, in request) (any, error) {
	sources, err := s.Sources(queueName(in.QueueURL))
	urls := []string{}
	for _, name := range sources {
		urls = append(urls, template.QueueURL(name))
	}
	return map[string][]string{"queueUrls": urls}, err // SQS spells it so
}

func (s *Server) getQueueAttributes(_ context.Context, in request) (any, error) {
	name := queueName(in.QueueURL)
	depth, err := s.Depth(name)
	if err != nil {
		return nil, err
	}
	attributes := map[string]string{
		"QueueArn":                              template.QueueARN(name),
		"ApproximateNumberOfMessages":           strconv.Itoa(depth.Visible),
		"ApproximateNumberOfMessagesNotVisible": strconv.Itoa(depth.InFlight),
		"ApproximateNumberOfMessagesDelayed":    strconv.Itoa(depth.Delayed),
	}
	if strings.HasSuffix(name, ".fifo") {
		attributes["FifoQueue"] = "true"
	}
	return map[string]any{"Attributes": attributes}, nil
}

// startMessageMoveTask moves at once; on AWS the task goes on in the background.
func (s *Server) startMessageMoveTask(_ context.Context, in request) (any, error) {
	_, err := s.Redrive(queueName(in.SourceArn), queueName(in.DestinationArn))
	return map[string]string{"TaskHandle": newID()}, err
}

// code returns SQS's name of an error.
func code(err error) string {
	var fault *FaultError
	switch {
	case errors.As(err, &fault):
		return fault.Code
	case errors.Is(err, ErrNoQueue):
		return "QueueDoesNotExist"
	case errors.Is(err, ErrReceipt):
		return "ReceiptHandleIsInvalid"
	default:
		return "InvalidParameterValue"
	}
}

func fail(w http.ResponseWriter, err error) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	w.WriteHeader(http.StatusBadRequest)
	_ = json.NewEncoder(w).Encode(map[string]string{ // the client has gone
		"__type": "com.amazonaws.sqs#" + code(err), "message": err.Error(),
	})
}
