package load

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// The groups of processes whose time on the processors is told apart.
const (
	Client    = "client"
	Gateway   = "gateway"
	Functions = "functions"
	Database  = "DynamoDB Local"
	Others    = "others" // the rest of the machine
)

// Groups returns the groups in the order of the table.
func Groups() []string { return []string{Client, Gateway, Functions, Database, Others} }

// tick is the unit of times in /proc, USER_HZ: 1/100 s on every architecture that Go and Linux share.
const tick = 10 * time.Millisecond

// Process is what /proc says about a process.
type Process struct {
	ID, Parent int
	Name       string
	// CPU is its time on the processors, and Waited that of its children that have ended.
	CPU, Waited time.Duration
}

// IsFunction reports whether a process that the gateway has started is a function's. The others are DynamoDB Local's: Java,
// or Docker's client.
func (p Process) IsFunction() bool { return p.Name == "bootstrap" }

// Processes returns the processes of this machine by id. It returns none on a machine without /proc, such as macOS.
func Processes() map[int]Process {
	all := map[int]Process{}
	folders, _ := filepath.Glob("/proc/[0-9]*") // the pattern is well formed
	for _, folder := range folders {
		stat, err := os.ReadFile(filepath.Join(folder, "stat"))
		if err != nil {
			continue // it has ended meanwhile
		}
		if p, err := ParseStat(stat); err == nil {
			all[p.ID] = p
		}
	}
	return all
}

// ParseStat reads /proc/pid/stat (proc_pid_stat(5)). The name, in brackets, may have spaces and brackets.
func ParseStat(stat []byte) (Process, error) {
	id, rest, _ := bytes.Cut(stat, []byte(" ("))
	end := bytes.LastIndexByte(rest, ')')
	if end < 0 {
		return Process{}, fmt.Errorf("read stat: %q has no name in brackets", stat)
	}
	const first, parent, user, childrenSystem = 3, 4, 14, 17 // as the manual numbers them
	fields := strings.Fields(string(rest[end+1:]))
	if len(fields) <= childrenSystem-first {
		return Process{}, fmt.Errorf("read stat: %q has too few fields", stat)
	}
	p := Process{Name: string(rest[:end])}
	var err error
	if p.ID, err = strconv.Atoi(string(id)); err != nil {
		return Process{}, fmt.Errorf("read stat: %w", err)
	}
	if p.Parent, err = strconv.Atoi(fields[parent-first]); err != nil {
		return Process{}, fmt.Errorf("read stat: %w", err)
	}
	var ticks [4]time.Duration // user, system, and both of the children
	for i := range ticks {
		n, err := strconv.ParseInt(fields[user-first+i], 10, 64)
		if err != nil {
			return Process{}, fmt.Errorf("read stat: %w", err)
		}
		ticks[i] = time.Duration(n) * tick
	}
	p.CPU, p.Waited = ticks[0]+ticks[1], ticks[2]+ticks[3]
	return p, nil
}

// Below returns the processes that a process has started, and those that they have started.
func Below(all map[int]Process, id int) map[int]Process {
	below := map[int]Process{}
	for _, p := range all {
		for up := p.Parent; up > 1; up = all[up].Parent {
			if up == id {
				below[p.ID] = p
				break
			}
		}
	}
	return below
}

// Usage is the time on the processors by group, since some moment. It has Others only if /proc/stat can be read.
type Usage map[string]time.Duration

// Used returns the usage of a client and a gateway and of what the gateway has started.
func Used(all map[int]Process, client, gateway int) Usage {
	u := Usage{Client: all[client].CPU, Gateway: all[gateway].CPU}
	// What has ended were functions: DynamoDB Local lives as long as the gateway.
	u[Functions] = all[gateway].Waited
	for _, p := range Below(all, gateway) {
		if p.IsFunction() {
			u[Functions] += p.CPU
		} else {
			u[Database] += p.CPU
		}
	}
	if busy, err := busy(); err == nil {
		u[Others] = busy - u[Client] - u[Gateway] - u[Functions] - u[Database]
	}
	return u
}

// busy returns how long the machine's processors have worked since its start.
func busy() (time.Duration, error) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, err
	}
	first, _, _ := strings.Cut(string(text), "\n")
	fields := strings.Fields(first)
	var sum time.Duration
	for i, field := range fields[min(1, len(fields)):] {
		const idle, wait, guest = 3, 4, 8 // guest and guest_nice are part of user and nice
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("read /proc/stat: %w", err)
		}
		if i != idle && i != wait && i < guest {
			sum += time.Duration(n) * tick
		}
	}
	return sum, nil
}

// Since returns what was used after an earlier usage.
func (u Usage) Since(before Usage) Usage {
	used := maps.Clone(u)
	for name := range used {
		used[name] = max(0, used[name]-before[name])
	}
	return used
}
