package localddb

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	// minJava is the oldest Java that DynamoDB Local 3 runs on.
	minJava = 17
	image   = "amazon/dynamodb-local"
)

// NeedsError says what this machine lacks to run DynamoDB Local.
type NeedsError struct{ sentence string }

// Error is one sentence for the person who started the program.
func (e *NeedsError) Error() string { return e.sentence }

// launch is how DynamoDB Local is started and stopped.
type launch struct {
	cmd *exec.Cmd
	// death is the signal that Linux sends the child when this process dies.
	death syscall.Signal
	// cleanup runs before the child is stopped; nil is nothing.
	cleanup func()
}

// command returns how to run DynamoDB Local on this machine: with Java, or else with Docker.
func command(ctx context.Context, cfg Config, port int) (*launch, error) {
	java, problem := findJava(ctx)
	if problem == "" {
		lib, err := Fetch(ctx, cfg.CacheDir, cfg.Note)
		if err != nil {
			return nil, err
		}
		launcher, err := layLauncher(cfg.CacheDir)
		if err != nil {
			return nil, err
		}
		return javaCommand(java, launcher, lib, cfg.DataDir, port, addresses(ctx, cfg)), nil
	}

	docker, err := exec.LookPath("docker")
	why := ""
	if err == nil {
		var output []byte
		if output, err = quick(ctx, docker, "version", "--format", "{{.Server.Version}}").CombinedOutput(); err != nil {
			why = " (" + reason(string(output)) + ")"
		}
	}
	if err != nil {
		return nil, &NeedsError{problem + ", and Docker does not answer" + why + ": install Java " + strconv.Itoa(minJava) +
			" or later, or start Docker, or name a running DynamoDB by DYNAMODB_ENDPOINT"}
	}
	cfg.Note(problem + ": using the container image " + image)
	return dockerCommand(docker, cfg, port, addresses(ctx, cfg)), nil
}

// findJava returns the path of java, or why it cannot be used.
func findJava(ctx context.Context) (path, problem string) {
	path, err := exec.LookPath("java")
	if err != nil {
		return "", "Java is not installed"
	}
	out, err := quick(ctx, path, "-version").CombinedOutput()
	if err != nil {
		return "", "java -version fails"
	}
	major, err := javaMajor(string(out))
	if err != nil {
		return "", err.Error()
	}
	if major < minJava {
		return "", fmt.Sprintf("Java %d is too old (DynamoDB Local needs %d)", major, minJava)
	}
	return path, ""
}

var javaVersion = regexp.MustCompile(`version "(?:1\.)?(\d+)`)

// javaMajor reads the major version from what java -version prints: 8 is written 1.8.
func javaMajor(output string) (int, error) {
	m := javaVersion.FindStringSubmatch(output)
	if m == nil {
		return 0, errors.New("java -version names no version")
	}
	return strconv.Atoi(m[1])
}

func javaCommand(java, launcher, lib, dataDir string, port int, hosts []string) *launch {
	args := []string{
		// Halves the start. The sample data is too little for the second compiler to matter.
		"-Xmx512m", "-XX:TieredStopAtLevel=1",
		"-Djava.library.path=" + filepath.Join(lib, "DynamoDBLocal_lib"),
		"-Dhosts=" + strings.Join(hosts, ","),
		"-cp", launcher + string(os.PathListSeparator) + filepath.Join(lib, "DynamoDBLocal.jar"), "Loopback",
	}
	cmd := exec.Command(java, append(args, flags(dataDir, port)...)...)
	// It writes logs into its working directory.
	cmd.Dir = os.TempDir()
	return &launch{cmd: cmd, death: syscall.SIGKILL}
}

// dockerCommand runs the image in the foreground: the client passes signals on to the container.
func dockerCommand(docker string, cfg Config, port int, hosts []string) *launch {
	name := "tienda-dynamodb-" + strconv.Itoa(port)
	args := []string{"run", "--rm", "--name", name}
	for _, host := range hosts {
		args = append(args, "-p", fmt.Sprintf("%s:%d:8000", host, port))
	}
	inside := ""
	if cfg.DataDir != "" {
		inside = "/data"
		args = append(args, "-v", cfg.DataDir+":"+inside, "--user", fmt.Sprintf("%d:%d", os.Getuid(), os.Getgid()))
	}
	args = append(args, image, "-jar", "DynamoDBLocal.jar")
	cmd := exec.Command(docker, append(args, flags(inside, 8000)...)...)
	return &launch{cmd: cmd, death: syscall.SIGTERM, cleanup: func() {
		ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
		defer cancel()
		_ = exec.CommandContext(ctx, docker, "stop", "--time", "1", name).Run()
	}}
}

// flags returns DynamoDB Local's own flags: one database for every region and access key.
func flags(dataDir string, port int) []string {
	f := []string{"-sharedDb", "-disableTelemetry", "-port", strconv.Itoa(port)}
	if dataDir == "" {
		return append(f, "-inMemory")
	}
	return append(f, "-dbPath", dataDir)
}

// quick returns a short command that ends with ctx. Ctrl-C does not reach it.
func quick(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.WaitDelay = time.Second
	return cmd
}
