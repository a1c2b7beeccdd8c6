package template

import (
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/tienda-dev/tienda/local/filter"
	"github.com/tienda-dev/tienda/local/schedule"
)

// event reads one event of a function.
func (r *reader) event(key, event *yaml.Node, f *Function, api *API) {
	name := "the event " + key.Value + " of " + f.LogicalID
	props := member(event, "Properties")
	switch kind := value(member(event, "Type")); kind {
	case "HttpApi":
		f.Routes = append(f.Routes, r.route(key, event, f.LogicalID, api))
	case "DynamoDB", "SQS":
		read := r.stream
		if kind == "SQS" {
			read = r.queueSource
		}
		s := read(name, key, props)
		if r.enabled(props) {
			f.Sources = append(f.Sources, s)
		}
	case "Schedule", "ScheduleV2":
		s := r.schedule(name, key, props, kind == "ScheduleV2")
		if r.enabled(props) && r.text(props, "State", "ENABLED") == "ENABLED" {
			f.Schedules = append(f.Schedules, s)
		}
	default:
		r.refuse(key, "%s is of type %s; the local API serves HttpApi, DynamoDB, SQS, Schedule and ScheduleV2 events", name, kind)
	}
}

func (r *reader) enabled(props *yaml.Node) bool {
	return r.get(props, "Enabled") == nil || r.flag(props, "Enabled")
}

const (
	week           = 7 * 24 * 60 * 60
	maxWindow      = 300
	maxStreamBatch = 10000
)

// stream reads an event source of type DynamoDB.
func (r *reader) stream(name string, key, props *yaml.Node) Source {
	r.only(name, props,
		[]string{
			"Stream", "StartingPosition", "BatchSize", "MaximumBatchingWindowInSeconds", "FilterCriteria",
			"FunctionResponseTypes", "BisectBatchOnFunctionError", "MaximumRetryAttempts", "MaximumRecordAgeInSeconds",
			"DestinationConfig", "ParallelizationFactor", "Enabled",
		},
		[]string{"KmsKeyArn", "MetricsConfig"})
	s := r.source(name, key, props, maxStreamBatch, 100)
	s.Bisect = r.flag(props, "BisectBatchOnFunctionError")
	s.MaxRetries = r.bounded(props, "MaximumRetryAttempts", -1, -1, 10000)
	s.Parallelization = r.bounded(props, "ParallelizationFactor", 1, 1, 10)
	if age := r.bounded(props, "MaximumRecordAgeInSeconds", -1, -1, week); age > 0 {
		s.MaxAge = time.Duration(age) * time.Second
	}
	if source, arg := intrinsic(member(props, "Stream")); source == "Fn::GetAtt" {
		var attribute string
		if s.Table, attribute = attributeOf(arg); attribute != "StreamArn" {
			s.Table = ""
		}
	}
	if s.Table == "" {
		r.refuse(key, "%s must name its table by Stream: !GetAtt Table.StreamArn", name)
	}
	switch position := r.text(props, "StartingPosition", ""); position {
	case "TRIM_HORIZON":
	case "LATEST":
		s.FromLatest = true
	default:
		r.refuse(key, "%s has the StartingPosition %q; the local API serves TRIM_HORIZON and LATEST", name, position)
	}
	s.OnFailure = r.onFailure(name, props)
	return s
}

// queueSource reads an event source of type SQS.
func (r *reader) queueSource(name string, key, props *yaml.Node) Source {
	r.only(name, props,
		[]string{
			"Queue", "BatchSize", "MaximumBatchingWindowInSeconds", "FilterCriteria", "FunctionResponseTypes",
			"ScalingConfig", "Enabled",
		},
		[]string{"KmsKeyArn", "MetricsConfig"})
	s := r.source(name, key, props, maxStreamBatch, 10)
	if source, arg := intrinsic(member(props, "Queue")); source == "Fn::GetAtt" {
		var attribute string
		if s.Queue, attribute = attributeOf(arg); attribute != "Arn" {
			s.Queue = ""
		}
	}
	if s.Queue == "" {
		r.refuse(key, "%s must name its queue by Queue: !GetAtt Queue.Arn", name)
	}
	scaling := r.get(props, "ScalingConfig")
	r.only("ScalingConfig of "+name, scaling, []string{"MaximumConcurrency"}, nil)
	if scaling != nil {
		s.MaxConcurrency = r.bounded(scaling, "MaximumConcurrency", 2, 2, 1000)
	}
	return s
}

// source reads what streams and queues share.
func (r *reader) source(name string, key, props *yaml.Node, maxBatch, batch int) Source {
	s := Source{
		Name:      key.Value,
		BatchSize: r.bounded(props, "BatchSize", batch, 1, maxBatch),
		Window:    r.seconds(props, "MaximumBatchingWindowInSeconds", 0, 0, maxWindow),
		line:      key.Line,
	}
	for _, kind := range r.texts(props, "FunctionResponseTypes") {
		if kind != "ReportBatchItemFailures" {
			r.refuse(member(props, "FunctionResponseTypes"), "%s has the FunctionResponseTypes %s, which Lambda does not have", name, kind)
		}
		s.PartialFailures = true
	}
	criteria := r.get(props, "FilterCriteria")
	r.only("FilterCriteria of "+name, criteria, []string{"Filters"}, nil)
	for _, item := range r.items(criteria, "Filters") {
		r.only("a filter of "+name, item, []string{"Pattern"}, nil)
		pattern, err := filter.Parse(r.text(item, "Pattern", ""))
		if err != nil {
			r.refuse(item, "%s cannot be served: %v", name, err)
			continue
		}
		s.Filters = append(s.Filters, pattern)
	}
	return s
}

// onFailure reads the queue of DestinationConfig.
func (r *reader) onFailure(name string, props *yaml.Node) string {
	config := r.get(props, "DestinationConfig")
	if config == nil {
		return ""
	}
	r.only("DestinationConfig of "+name, config, []string{"OnFailure"}, nil)
	destination := r.get(config, "OnFailure")
	r.only("OnFailure of "+name, destination, []string{"Type", "Destination"}, nil)
	queue := referenced(member(destination, "Destination"))
	if kind := r.text(destination, "Type", "SQS"); kind != "SQS" || queue == "" {
		r.refuse(config, "%s must have an OnFailure of the Type SQS with Destination: !GetAtt Queue.Arn", name)
	}
	return queue
}

// schedule reads an event of type Schedule or ScheduleV2.
func (r *reader) schedule(name string, key, props *yaml.Node, scheduler bool) Schedule {
	if scheduler {
		r.only(name, props,
			[]string{"ScheduleExpression", "ScheduleExpressionTimezone", "Input", "State"},
			[]string{
				"Name", "Description", "FlexibleTimeWindow", "GroupName", "KmsKeyArn", "OmitName", "PermissionsBoundary",
				"RoleArn", "RetryPolicy", "DeadLetterConfig",
			})
	} else {
		r.only(name, props,
			[]string{"Schedule", "Input", "Enabled", "State"},
			[]string{"Name", "Description", "RetryPolicy", "DeadLetterConfig", "RoleArn"})
	}
	s := Schedule{Name: key.Value, Input: r.text(props, "Input", ""), Scheduler: scheduler}
	member := "Schedule"
	if scheduler {
		member = "ScheduleExpression"
	}
	s.Expression = r.text(props, member, "")
	var err error
	if s.When, err = schedule.Parse(s.Expression, r.text(props, "ScheduleExpressionTimezone", "")); err != nil {
		r.refuse(key, "%s cannot be served: %v", name, err)
	}
	return s
}

// async reads EventInvokeConfig.
func (r *reader) async(what string, props *yaml.Node) Async {
	config := r.get(props, "EventInvokeConfig")
	r.only("EventInvokeConfig of "+what, config,
		[]string{"MaximumEventAgeInSeconds", "MaximumRetryAttempts", "DestinationConfig"}, nil)
	return Async{
		MaxRetries: r.bounded(config, "MaximumRetryAttempts", 2, 0, 2),
		MaxAge:     r.seconds(config, "MaximumEventAgeInSeconds", 6*60*60, 60, 6*60*60),
		OnFailure:  r.onFailure("EventInvokeConfig of "+what, config),
	}
}

// checkSources finds the problems of event sources that need the whole template. AWS refuses most of them at the
// deployment.
func (r *reader) checkSources(t *Template) {
	for _, f := range t.Functions {
		if q := f.Async.OnFailure; q != "" {
			r.checkDestination(t, &yaml.Node{Line: f.Line}, "EventInvokeConfig of "+f.LogicalID, q)
		}
		for _, s := range f.Sources {
			name, at := "the event "+s.Name+" of "+f.LogicalID, &yaml.Node{Line: s.line}
			if s.OnFailure != "" {
				r.checkDestination(t, at, name, s.OnFailure)
			}
			if s.Queue != "" {
				r.checkQueueSource(t, at, name, f, s)
				continue
			}
			if table, ok := t.Table(s.Table); s.Table != "" && (!ok || table.StreamView == "") {
				r.refuse(at, "%s reads %s, which is not a table with a StreamSpecification", name, s.Table)
			}
		}
	}
}

func (r *reader) checkQueueSource(t *Template, at *yaml.Node, name string, f Function, s Source) {
	q, ok := t.Queue(s.Queue)
	switch {
	case !ok:
		r.refuse(at, "%s reads %s, which is not a queue of the template", name, s.Queue)
	case q.VisibilityTimeout < f.Timeout:
		r.refuse(at, "%s reads %s, whose VisibilityTimeout is below the function's Timeout of %s", name, s.Queue, f.Timeout)
	case q.FIFO && (s.BatchSize > 10 || s.Window > 0):
		r.refuse(at, "%s reads a FIFO queue: its BatchSize may be 10, without a batching window", name)
	case s.BatchSize > 10 && s.Window == 0:
		r.refuse(at, "%s has a BatchSize above 10, which needs MaximumBatchingWindowInSeconds", name)
	}
}

// checkDestination checks an on-failure queue: Lambda sends to standard queues only.
func (r *reader) checkDestination(t *Template, at *yaml.Node, name, queue string) {
	if q, ok := t.Queue(queue); !ok || q.FIFO {
		r.refuse(at, "%s has the OnFailure destination %s, which is not a standard queue of the template", name, queue)
	}
}
