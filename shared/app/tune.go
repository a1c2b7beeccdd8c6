package app

import (
	"net/http"
	"runtime"
	"runtime/debug"

	"github.com/tienda-dev/tienda/shared/internal/gather"
)

const (
	// wholeCPU is the memory in MB at which a function has one CPU.
	// https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
	wholeCPU = 1769
	// instanceCPU is the most memory in MB with which a function on Lambda Managed Instances has one CPU at most.
	// Invocations run in parallel there.
	// https://docs.aws.amazon.com/lambda/latest/dg/lambda-managed-instances-scaling.html
	instanceCPU = 2048
	// gcPercent lets the heap grow to five times what is in use before a collection. Measured: a tenth less CPU for
	// 12 MB more memory (docs/performance.md). The memory limit bounds it.
	gcPercent = 400
	// limitPercent is the part of the function's memory from which on collections are as frequent as needed.
	limitPercent = 80
)

// knobs are the function's memory in MB, how many invocations it runs at the same time, the address of the Runtime API, and
// the variables of Go's runtime.
type knobs struct {
	Memory      int    `env:"AWS_LAMBDA_FUNCTION_MEMORY_SIZE"`
	Concurrency int    `env:"AWS_LAMBDA_MAX_CONCURRENCY"`
	RuntimeAPI  string `env:"AWS_LAMBDA_RUNTIME_API"`
	Threads     string `env:"GOMAXPROCS"`
	GCPercent   string `env:"GOGC"`
	MemoryLimit string `env:"GOMEMLIMIT"`
}

// tune sets what Go's runtime does not know of Lambda, from the function's memory: threads, how often garbage is collected,
// and the memory limit. A variable of Go's own comes before. Where invocations run in parallel, the HTTP client of the
// Runtime API keeps a connection for each. Outside Lambda tune sets nothing.
func (k knobs) tune() {
	if k.Memory <= 0 {
		return
	}
	if k.Threads == "" && (k.Memory <= wholeCPU || k.Concurrency > 1 && k.Memory <= instanceCPU) {
		runtime.GOMAXPROCS(1) // Lambda shows two CPUs and gives one at most; and of one CPU Go makes two threads
	}
	if k.GCPercent == "" {
		debug.SetGCPercent(gcPercent)
	}
	if k.MemoryLimit == "" {
		debug.SetMemoryLimit(int64(k.Memory) << 20 * limitPercent / 100)
	}
	if k.Concurrency > 1 {
		keepConnections(k.Concurrency)
	}
	gatherWrites(k.RuntimeAPI)
}

// keepConnections lets so many idle connections to one host wait for their next request. aws-lambda-go talks to the Runtime
// API with a copy of the default transport, which keeps two: of eight loops most would connect for each of their calls.
func keepConnections(n int) {
	if t, ok := http.DefaultTransport.(*http.Transport); ok { //nolint:forbidigo // aws-lambda-go offers no other way
		t.MaxIdleConnsPerHost = max(t.MaxIdleConnsPerHost, n)
		t.MaxIdleConns = max(t.MaxIdleConns, n)
	}
}

// gatherWrites makes one write of most answers to the Runtime API. aws-lambda-go sends an answer in chunks with a trailer, and
// net/http writes its header, its chunk and its end one by one: three packets, each of which wakes the receiver.
func gatherWrites(address string) {
	t, ok := http.DefaultTransport.(*http.Transport) //nolint:forbidigo // aws-lambda-go offers no other way
	if !ok || t.DialContext == nil || address == "" {
		return
	}
	t.DialContext = gather.Dial(t.DialContext, address)
}
