package harness

import (
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

func TestWire(t *testing.T) {
	t.Parallel()
	const chunked = "POST /p HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTrailer: A\r\n\r\n"
	for name, test := range map[string]struct {
		text, body, trailer string
		fails               bool
	}{
		"NoBody":         {text: "GET /p HTTP/1.1\r\nHost: x\r\n\r\n"},
		"Whole":          {text: "POST /p HTTP/1.1\r\ncontent-length: 4\r\n\r\nabcd", body: "abcd"},
		"Chunks":         {text: chunked + "4\r\nabcd\r\n2;x=y\r\nef\r\n0\r\n\r\n", body: "abcdef"},
		"Trailer":        {text: chunked + "1\r\na\r\n0\r\na: secret\r\nB: 2\r\n\r\n", body: "a", trailer: "secret"},
		"HexSize":        {text: chunked + "00A\r\n0123456789\r\n0\r\n\r\n", body: "0123456789"},
		"CutBody":        {text: "POST /p HTTP/1.1\r\nContent-Length: 5\r\n\r\nabc", fails: true},
		"CutChunk":       {text: chunked + "5\r\nabc", fails: true},
		"NoLastChunk":    {text: chunked + "1\r\na\r\n", fails: true},
		"NoChunkEnd":     {text: chunked + "1\r\nab\r\n0\r\n\r\n", fails: true},
		"NotASize":       {text: chunked + "x\r\na\r\n", fails: true},
		"NegativeLength": {text: "POST /p HTTP/1.1\r\nContent-Length: -1\r\n\r\n", fails: true},
		"NotHTTP":        {text: "hello\r\n\r\n", fails: true},
		"NotAField":      {text: "GET /p HTTP/1.1\r\nnonsense\r\n\r\n", fails: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, client := pair(t)
			go func() {
				_, _ = io.WriteString(client, test.text)
				client.Close()
			}()
			q, err := w.read()
			if (err != nil) != test.fails {
				t.Fatalf("got %v, want an error: %v", err, test.fails)
			}
			if err != nil {
				return
			}
			if q.path != "/p" || string(q.body) != test.body || get(q.trailer, "A") != test.trailer {
				t.Errorf("got %q, body %q, trailer %q", q.path, q.body, get(q.trailer, "A"))
			}
			if _, err := w.read(); !errors.Is(err, io.EOF) {
				t.Errorf("after the last request: %v, want io.EOF", err)
			}
		})
	}
}

func TestRequestsOnOneConnection(t *testing.T) {
	t.Parallel()
	w, client := pair(t)
	go func() {
		_, _ = io.WriteString(client, strings.Repeat("POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nT: 1\r\n\r\n", 2)+
			"GET /b HTTP/1.1\r\n\r\n")
		client.Close()
	}()
	var got []string
	for range 3 {
		q, err := w.read()
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, q.path+" "+string(q.body)+get(q.trailer, "t"))
	}
	if want := "/a abc1,/a abc1,/b "; strings.Join(got, ",") != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// pair returns a wire and the other end of its connection.
func pair(t *testing.T) (*wire, net.Conn) {
	t.Helper()
	server, client := net.Pipe()
	t.Cleanup(func() {
		server.Close()
		client.Close()
	})
	return newWire(server), client
}

func TestSequence(t *testing.T) {
	t.Parallel()
	at := func(from, to int) Call {
		return Call{Began: time.Unix(0, int64(from)), Ended: time.Unix(0, int64(to))}
	}
	for name, test := range map[string]struct {
		calls []Call
		want  int
	}{
		"None":            {nil, 0},
		"One":             {[]Call{at(0, 3)}, 1},
		"OneAfterAnother": {[]Call{at(0, 3), at(3, 6), at(7, 9)}, 3},
		"AtOnce":          {[]Call{at(0, 3), at(1, 4), at(2, 5)}, 1},
		"TwoRounds":       {[]Call{at(0, 3), at(1, 4), at(5, 8), at(6, 7)}, 2},
		"LongBesideTwo":   {[]Call{at(0, 9), at(1, 3), at(4, 6)}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := sequence(test.calls); got != test.want {
				t.Errorf("got %d, want %d", got, test.want)
			}
		})
	}
}

func TestParse(t *testing.T) {
	t.Parallel()
	t.Run("Stat", func(t *testing.T) {
		t.Parallel()
		text := "42 (a b) c) S 1 42 42 0 -1 4194304 1200 0 7 0 5 6 0 0 20 0 9 0 100 1000000 2500 18446744073709551615 1 1"
		minor, major, rss, err := parseStat([]byte(text))
		if err != nil || minor != 1200 || major != 7 || rss < 2500*4096 {
			t.Errorf("got %d, %d, %d, %v", minor, major, rss, err)
		}
		if _, _, _, err := parseStat([]byte("42 a S 1")); err == nil {
			t.Error("a line without a name is read")
		}
	})
	t.Run("Init", func(t *testing.T) {
		t.Parallel()
		got := parseInit("init runtime @0.02 ms, 0.03 ms clock, 0 bytes, 0 allocs\nhello\ninit net/http @1.2 ms, 0.1 ms clock, 4432 bytes, 61 allocs\n" +
			"gc 1 @0.004s 5%: 0.01+0.9+0.02 ms clock\n")
		if want := (InitWork{Packages: 2, Allocations: 61, Bytes: 4432, Collections: 1}); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	})
	t.Run("CPUGroup", func(t *testing.T) {
		t.Parallel()
		controllers := func(folder string) string {
			return map[string]string{"/sys/fs/cgroup": "cpuset cpu io", "/unified": "hugetlb"}[folder]
		}
		for mounts, want := range map[string]struct {
			folder string
			v2, ok bool
		}{
			"cgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n":                                                {"/sys/fs/cgroup", true, true},
			"cgroup2 /unified cgroup2 rw 0 0\ncgroup /sys/fs/cgroup/cpu cgroup rw,cpu,cpuacct 0 0\n": {"/sys/fs/cgroup/cpu", false, true},
			"cgroup /sys/fs/cgroup/cpuset cgroup rw,cpuset 0 0\n":                                    {},
			"proc /proc proc rw 0 0\n":                                                               {},
		} {
			folder, v2, ok := cpuGroup(mounts, controllers)
			if folder != want.folder || v2 != want.v2 || ok != want.ok {
				t.Errorf("%q: got %q, %v, %v, want %+v", mounts, folder, v2, ok, want)
			}
		}
	})
}
