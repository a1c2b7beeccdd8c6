package comparison

import (
	"slices"
	"time"
)

// Options describe a run. Fill them with Full or Quick.
type Options struct {
	// Root is the repository, Out takes the results.
	Root, Out string
	// Only keeps the binaries with one of these names, beside bare, and of the modes Grown and Concurrent those with one of
	// these names; empty keeps all.
	Only []string
	// Rounds is how many warm rounds each binary has, of Before invocations that are not measured and Count that are.
	Rounds, Before, Count int
	// Starts is how many cold starts each binary has with its file in the page cache, Evicted how many without.
	Starts, Evicted int
	// Delayed is how many invocations count round trips, with a delay of each request.
	Delayed int
	Delay   time.Duration
	// Throttled is how many first requests there are under the quota of a function with MemoryMB.
	Throttled, MemoryMB int
	// Concurrent is how many invocations a round of the mode Concurrent has.
	Concurrent int
	// Growths is how many rounds growth has, of at most Pass invocations that are not measured and Grown that are. Pass is
	// enough for everything that grows to take its turn once.
	Growths, Pass, Grown int
	// Early and Late are after how many invocations the resident memory is read.
	Early, Late int
	// Say reports progress. Nil is silent.
	Say func(format string, args ...any)
}

// Full are the options of a run whose results are published: some minutes. With 25 starts and 31 from disk, a ratio of starts was
// uncertain by 3 %.
func Full(root, out string) Options {
	return Options{
		Root: root, Out: out, Rounds: 15, Before: 300, Count: 600, Starts: 75, Evicted: 121, Delayed: 60, Delay: 3 * time.Millisecond,
		Throttled: 9, MemoryMB: 256, Concurrent: 600, Growths: 3, Pass: 5000, Grown: 1500, Early: 2000, Late: 20_000,
	}
}

// wants reports whether a mode is to be measured that can be left out.
func (o Options) wants(mode Mode) bool {
	return len(o.Only) == 0 || slices.Contains(o.Only, string(mode))
}

// Quick are the options of a run that shows that everything works, in about a minute. Its numbers are rough.
func Quick(root, out string) Options {
	return Options{
		Root: root, Out: out, Rounds: 2, Before: 50, Count: 200, Starts: 4, Evicted: 3, Delayed: 10, Delay: 3 * time.Millisecond,
		Throttled: 2, MemoryMB: 256, Concurrent: 100, Growths: 1, Pass: 50, Grown: 100, Early: 500, Late: 1500,
	}
}
