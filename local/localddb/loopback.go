package localddb

import (
	"context"
	"crypto/sha256"
	_ "embed" // for the launcher
	"encoding/hex"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// launcher starts DynamoDB Local on chosen addresses; its own main listens on every address. It is compiled
// because many machines have a Java without a compiler. After a change of Loopback.java, in this folder, with a JDK:
//
//	package=$(echo ../../.cache/dynamodb-local/*/package/lib/*)
//	javac --release 17 -g:none -cp "$package/DynamoDBLocal.jar:$package/DynamoDBLocal_lib/*" loopback/Loopback.java
//
//go:embed loopback/Loopback.class
var launcher []byte

// layLauncher returns the folder of the launcher below cacheDir, as an absolute path.
func layLauncher(cacheDir string) (string, error) {
	digest := sha256.Sum256(launcher)
	dir, err := filepath.Abs(filepath.Join(cacheDir, "dynamodb-local", "launcher-"+hex.EncodeToString(digest[:6])))
	if err != nil {
		return "", fmt.Errorf("start DynamoDB Local: %w", err)
	}
	path := filepath.Join(dir, "Loopback.class")
	if _, err := os.Stat(path); err == nil {
		return dir, nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("start DynamoDB Local: %w", err)
	}
	f, err := os.CreateTemp(dir, ".new-") // another process may be laying it too
	if err != nil {
		return "", fmt.Errorf("start DynamoDB Local: %w", err)
	}
	_, err = f.Write(launcher)
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
		return "", fmt.Errorf("start DynamoDB Local: %w", err)
	}
	return dir, nil
}

// addresses returns where DynamoDB listens: on the loopback address, and for containers also on the address
// of Docker's bridge, by which they reach this machine. Docker Desktop has its bridge in another machine, and
// its containers reach the loopback address of this one.
func addresses(ctx context.Context, cfg Config) []string {
	hosts := []string{"127.0.0.1"}
	if !cfg.Containers {
		return hosts
	}
	return append(hosts, ContainerAddresses(ctx)...)
}

// ContainerAddresses returns the addresses besides the loopback one by which containers reach this machine: that
// of Docker's bridge. It has none without Docker and with Docker Desktop.
func ContainerAddresses(ctx context.Context) []string {
	var hosts []string
	docker, err := exec.LookPath("docker")
	if err != nil {
		return hosts
	}
	// Without an answer there are no containers either.
	name, err := quick(ctx, docker, "network", "inspect", "bridge", "--format", `{{index .Options "com.docker.network.bridge.name"}}`).Output()
	if err != nil {
		return hosts
	}
	bridge, err := net.InterfaceByName(strings.TrimSpace(string(name)))
	if err != nil {
		return hosts
	}
	all, err := bridge.Addrs()
	if err != nil {
		return hosts
	}
	for _, a := range all {
		if network, ok := a.(*net.IPNet); ok && network.IP.To4() != nil {
			hosts = append(hosts, network.IP.String())
		}
	}
	return hosts
}

// reason returns the line of a program's output that says why it failed: the last one that is not Docker's
// advice to read its manual.
func reason(output string) string {
	last := ""
	for line := range strings.Lines(output) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "Run 'docker ") || strings.HasPrefix(line, "See 'docker ") {
			continue
		}
		last = line
	}
	return last
}
