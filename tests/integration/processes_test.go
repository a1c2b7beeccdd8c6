//go:build integration

package integration_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// descendants returns descriptions of the processes below one, by id; nothing where there is no
// /proc.
func descendants(of int) map[int]string {
	parents := map[int]int{}
	names := map[int]string{}
	folders, _ := filepath.Glob("/proc/[0-9]*")
	for _, folder := range folders {
		id, err := strconv.Atoi(filepath.Base(folder))
		if err != nil {
			continue
		}
		stat, err := os.ReadFile(filepath.Join(folder, "stat"))
		if err != nil {
			continue // it has ended meanwhile
		}
		// "id (name) state parent …": the name may hold anything, a parenthesis too.
		end := strings.LastIndex(string(stat), ")")
		fields := strings.Fields(string(stat)[end+1:])
		if len(fields) < 2 {
			continue
		}
		parents[id], _ = strconv.Atoi(fields[1])
		command, _ := os.ReadFile(filepath.Join(folder, "cmdline"))
		names[id] = fmt.Sprintf("%d %s %.80s", id, fields[0], strings.ReplaceAll(string(command), "\x00", " "))
	}

	below := map[int]string{}
	for id := range parents {
		for parent := parents[id]; parent > 1; parent = parents[parent] {
			if parent == of {
				below[id] = names[id]
				break
			}
		}
	}
	return below
}

// gone returns an error that names the processes that still run. Processes that got a signal to end
// have two seconds for it.
func gone(processes map[int]string) error {
	var running []string
	for range 20 {
		running = nil
		for id, name := range processes {
			// A process that has ended and waits for its parent is a zombie: its command line is empty.
			if command, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", id)); err == nil && len(command) > 0 {
				running = append(running, name)
			}
		}
		if len(running) == 0 {
			return nil
		}
		time.Sleep(100 * time.Millisecond)
	}
	slices.Sort(running)
	return fmt.Errorf("still running:\n%s", strings.Join(running, "\n"))
}

// closed returns an error that names the addresses where something still listens. A process that was
// killed loses its command line first and its sockets a moment later: it gets two seconds for it.
func closed(urls ...string) error {
	var all []error
	for _, url := range urls {
		open := true
		for range 20 {
			conn, err := net.DialTimeout("tcp", strings.TrimPrefix(url, "http://"), time.Second)
			if open = err == nil; !open {
				break
			}
			conn.Close()
			time.Sleep(100 * time.Millisecond)
		}
		if open {
			all = append(all, fmt.Errorf("%s still listens", url))
		}
	}
	return errors.Join(all...)
}
