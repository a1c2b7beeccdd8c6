package redrive_test

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/local/queues"
	"github.com/tienda-dev/tienda/local/redrive"
	"github.com/tienda-dev/tienda/shared/awsclient"
)

// start serves a queue whose dead-letter queue has two messages of it, and one that was sent to it.
func start(t *testing.T) (*queues.Server, redrive.Config) {
	t.Helper()
	s, err := queues.New(queues.Config{Queues: []queues.Queue{
		{Name: "Orders.fifo", FIFO: true, DeadLetter: "Dead.fifo", MaxReceives: 1},
		{Name: "Dead.fifo", FIFO: true},
	}})
	if err != nil {
		t.Fatal(err)
	}
	for _, body := range []string{"one", "two"} {
		if _, _, err := s.Send("Orders.fifo", queues.Message{Body: body, Group: body, Deduplication: body}); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := s.Send("Dead.fifo", queues.Message{Body: "three", Group: "three", Deduplication: "three"}); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time they are dead letters
		if _, err := s.Receive("Orders.fifo", 10, 0); err != nil {
			t.Fatal(err)
		}
	}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return s, redrive.Config{
		Config:   awsclient.Config{Region: "us-east-1", AccessKeyID: "local", SecretAccessKey: "local", HTTP: server.Client()},
		Endpoint: server.URL,
	}
}

func TestRedrive(t *testing.T) {
	t.Parallel()
	for name, queue := range map[string]string{
		"LogicalID": "Dead", "Name": "Dead.fifo", "ARN": "arn:aws:sqs:us-east-1:123456789012:Dead.fifo",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, cfg := start(t)
			got, err := redrive.Redrive(t.Context(), cfg, queue)
			if want := (redrive.Result{Queue: "Dead.fifo", Messages: 3}); !cmp.Equal(got, want) || err != nil {
				t.Errorf("got %+v, %v", got, err)
			}
			if messages, _ := s.Receive("Orders.fifo", 10, time.Minute); len(messages) != 3 || messages[0].Body != "one" {
				t.Errorf("got %+v", messages)
			}
		})
	}
}

func TestRedriveRefuses(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ queue, want string }{
		"NoName":         {"", "QUEUE is required: the name of a dead-letter queue, of Dead.fifo, Orders.fifo"},
		"Unknown":        {"Dread", `no queue "Dread" (want one of Dead.fifo, Orders.fifo)`},
		"NotDeadLetters": {"Orders", "it is not the dead-letter queue of another queue"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, cfg := start(t)
			if _, err := redrive.Redrive(t.Context(), cfg, tt.queue); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want it to say %q", err, tt.want)
			}
		})
	}
}
