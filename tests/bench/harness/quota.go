package harness

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// QuotaPeriod is the period of a Quota. A burst of the quota's share of it is not throttled.
const QuotaPeriod = 20 * time.Millisecond

// Quota bounds the processor time of processes, as Lambda does by the memory size.
type Quota struct{ folder string }

// Share is the part of a processor that a function with so many MB gets. (AWS Lambda developer guide: 1,769 MB have the
// equivalent of one vCPU.)
func Share(memoryMB int) float64 { return float64(memoryMB) / 1769 }

// NewQuota makes a control group whose processes together get a share of one processor. It returns ErrNotMeasured without
// the rights for that.
func NewQuota(share float64) (*Quota, error) {
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		return nil, notMeasured("quota", err)
	}
	root, v2, ok := cpuGroup(string(mounts), func(folder string) string {
		text, _ := os.ReadFile(filepath.Join(folder, "cgroup.controllers")) // one without it has no controllers
		return string(text)
	})
	if !ok {
		return nil, notMeasured("quota", errors.New("no control group has the controller cpu"))
	}
	q := &Quota{folder: filepath.Join(root, "tienda-bench-"+strconv.Itoa(os.Getpid()))}
	if err := os.Mkdir(q.folder, 0o755); err != nil && !errors.Is(err, os.ErrExist) {
		return nil, notMeasured("quota", err)
	}
	period := QuotaPeriod.Microseconds()
	limit := int64(share * float64(period))
	if v2 {
		err = q.write("cpu.max", fmt.Sprintf("%d %d", limit, period))
	} else {
		err = errors.Join(q.write("cpu.cfs_period_us", strconv.FormatInt(period, 10)), q.write("cpu.cfs_quota_us", strconv.FormatInt(limit, 10)))
	}
	if err != nil {
		q.Close()
		return nil, notMeasured("quota", err)
	}
	return q, nil
}

// cpuGroup returns the root of the control groups with the controller cpu, from the text of /proc/mounts, and whether they
// are of version 2.
func cpuGroup(mounts string, controllers func(folder string) string) (folder string, v2, ok bool) {
	for line := range strings.Lines(mounts) {
		fields := strings.Fields(line)
		if len(fields) < 4 {
			continue
		}
		switch fields[2] {
		case "cgroup":
			if slices.Contains(strings.Split(fields[3], ","), "cpu") {
				return fields[1], false, true
			}
		case "cgroup2":
			if slices.Contains(strings.Fields(controllers(fields[1])), "cpu") {
				return fields[1], true, true
			}
		}
	}
	return "", false, false
}

// Add puts a process under the quota.
func (q *Quota) Add(pid int) error { return q.write("cgroup.procs", strconv.Itoa(pid)) }

func (q *Quota) write(file, text string) error {
	return os.WriteFile(filepath.Join(q.folder, file), []byte(text), 0o600)
}

// Close removes the control group. Its processes must have ended.
func (q *Quota) Close() { _ = os.Remove(q.folder) } // an empty one costs nothing
