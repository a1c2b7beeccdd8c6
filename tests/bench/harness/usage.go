package harness

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// Usage is what a process has used since its start.
type Usage struct {
	// CPU is the time of all threads on a processor.
	CPU time.Duration
	// RSS is the resident memory, in bytes.
	RSS int64
	// MinorFaults and MajorFaults count page faults; a major one reads from the disk.
	MinorFaults, MajorFaults int64
	// ReadBytes is what was read from the disk, in bytes. -1 if the kernel does not count it.
	ReadBytes int64
}

// Usage reads the usage of the process from /proc.
func (e *Environment) Usage() (Usage, error) {
	u, err := usage(e.PID())
	if err != nil {
		return Usage{}, notMeasured("/proc", err)
	}
	return u, nil
}

func usage(pid int) (u Usage, err error) {
	folder := fmt.Sprintf("/proc/%d/", pid)
	if u.CPU, err = threads(folder); err != nil {
		return u, err
	}
	stat, err := os.ReadFile(folder + "stat")
	if err != nil {
		return u, err
	}
	if u.MinorFaults, u.MajorFaults, u.RSS, err = parseStat(stat); err != nil {
		return u, err
	}
	u.ReadBytes = -1
	if text, err := os.ReadFile(folder + "io"); err == nil {
		for line := range strings.Lines(string(text)) {
			if value, ok := strings.CutPrefix(line, "read_bytes: "); ok {
				u.ReadBytes, _ = strconv.ParseInt(strings.TrimSpace(value), 10, 64)
			}
		}
	}
	return u, nil
}

// threads sums the time of all threads. Go's threads do not end, so none is missing.
func threads(folder string) (time.Duration, error) {
	entries, err := os.ReadDir(folder + "task")
	if err != nil {
		return 0, err
	}
	var sum time.Duration
	for _, entry := range entries {
		text, err := os.ReadFile(folder + "task/" + entry.Name() + "/schedstat")
		if err != nil {
			return 0, err
		}
		first, _, _ := bytes.Cut(text, []byte(" "))
		ns, err := strconv.ParseInt(string(first), 10, 64)
		if err != nil {
			return 0, fmt.Errorf("read schedstat: %w", err)
		}
		sum += time.Duration(ns)
	}
	return sum, nil
}

// parseStat reads /proc/pid/stat (proc_pid_stat(5)). The name of the program, in brackets, may have spaces and brackets.
func parseStat(stat []byte) (minor, major, rss int64, err error) {
	_, rest, ok := bytes.Cut(stat, []byte(" ("))
	end := bytes.LastIndexByte(rest, ')')
	if !ok || end < 0 {
		return 0, 0, 0, errors.New("read stat: the name of the program is missing")
	}
	const first, minorField, majorField, rssField = 3, 10, 12, 24 // as the manual numbers them
	fields := strings.Fields(string(rest[end+1:]))
	if len(fields) <= rssField-first {
		return 0, 0, 0, errors.New("read stat: fields are missing")
	}
	var errs [3]error
	minor, errs[0] = strconv.ParseInt(fields[minorField-first], 10, 64)
	major, errs[1] = strconv.ParseInt(fields[majorField-first], 10, 64)
	rss, errs[2] = strconv.ParseInt(fields[rssField-first], 10, 64)
	return minor, major, rss * int64(os.Getpagesize()), errors.Join(errs[:]...)
}

// Load returns the machine's load average of the last minute.
func Load() (float64, error) {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return 0, notMeasured("load", err)
	}
	first, _, _ := bytes.Cut(text, []byte(" "))
	return strconv.ParseFloat(string(first), 64)
}

// BusyLoad is the load average above which a run is marked: its times are those of a busy machine.
const BusyLoad = 2.0
