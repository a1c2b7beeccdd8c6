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

// children returns the descriptions of the processes below this one, by id; nothing where there is
// no /proc.
func children() map[int]string {
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
			if parent == os.Getpid() {
				below[id] = names[id]
				break
			}
		}
	}
	return below
}

// leftovers returns an error that names what still runs or listens, other than the processes of
// before. Processes of other tests may be on their way out: they get two seconds.
func leftovers(before map[int]string, urls ...string) error {
	var running []string
	for range 20 {
		running = nil
		for id, name := range children() {
			if _, ok := before[id]; !ok {
				running = append(running, name)
			}
		}
		if len(running) == 0 {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	var all []error
	if len(running) > 0 {
		slices.Sort(running)
		all = append(all, fmt.Errorf("still running:\n%s", strings.Join(running, "\n")))
	}
	for _, url := range urls {
		conn, err := net.DialTimeout("tcp", strings.TrimPrefix(url, "http://"), time.Second)
		if err == nil {
			conn.Close()
			all = append(all, fmt.Errorf("%s still listens", url))
		}
	}
	return errors.Join(all...)
}
