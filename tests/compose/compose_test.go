// Package compose_test reads observability/compose.yaml with Docker Compose's own loader. It is a module of its own,
// because nothing else needs that loader.
package compose_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
)

const folder = "../../observability"

func load(t *testing.T) *types.Project {
	t.Helper()
	options, err := cli.NewProjectOptions([]string{filepath.Join(folder, "compose.yaml")}, cli.WithResolvedPaths(true))
	if err != nil {
		t.Fatal(err)
	}
	project, err := options.LoadProject(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return project
}

func TestServices(t *testing.T) {
	t.Parallel()
	project := load(t)
	for _, name := range []string{"api", "dynamodb", "collector", "prometheus", "alertmanager", "grafana", "jaeger"} {
		if _, err := project.GetService(name); err != nil {
			t.Error(err)
		}
	}
	for name, service := range project.Services {
		if !regexp.MustCompile(`:v?\d+(\.\d+)+$`).MatchString(service.Image) {
			t.Errorf("%s: the image %s has no version", name, service.Image)
		}
		for _, volume := range service.Volumes {
			if volume.Type != types.VolumeTypeBind {
				continue
			}
			if _, err := os.Stat(volume.Source); err != nil {
				t.Errorf("%s mounts what is not there: %v", name, err)
			}
		}
		for _, port := range service.Ports {
			if port.HostIP != "127.0.0.1" {
				t.Errorf("%s publishes port %s to the network", name, port.Published)
			}
		}
	}
}

// Each address of another container in the configurations is a service of the file.
func TestAddressesAreServices(t *testing.T) {
	t.Parallel()
	project := load(t)
	files := []string{"compose.yaml", "prometheus.yaml", "alertmanagers.yaml", "grafana/provisioning/datasources/tienda.yaml"}
	address := regexp.MustCompile(`(?:http://|')([a-z]+):\d{4,5}\b`)
	found := map[string]bool{}
	for _, file := range files {
		content, err := os.ReadFile(filepath.Join(folder, filepath.FromSlash(file)))
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range address.FindAllStringSubmatch(string(content), -1) {
			found[match[1]] = true
			if _, err := project.GetService(match[1]); err != nil && match[1] != "localhost" {
				t.Errorf("%s: %s is not a service of compose.yaml", file, match[1])
			}
		}
	}
	for _, name := range []string{"alertmanager", "collector", "dynamodb", "jaeger", "prometheus"} {
		if !found[name] {
			t.Errorf("nothing uses %s", name)
		}
	}
}

// The collector's image has no /tmp, where it writes log lines unless it is told otherwise.
func TestCollectorHasAFolderForLogs(t *testing.T) {
	t.Parallel()
	service, err := load(t).GetService("collector")
	if err != nil {
		t.Fatal(err)
	}
	folder := "/tmp"
	if other := service.Environment["COLLECTOR_FOLDER"]; other != nil {
		folder = *other
	}
	if !slices.Contains(service.Tmpfs, folder) {
		t.Errorf("the collector writes to %s, but may write to %v only", folder, service.Tmpfs)
	}
}

// Compose's collector is the one that is built here.
func TestCollectorHasTheBuiltVersion(t *testing.T) {
	t.Parallel()
	manifest, err := os.ReadFile(filepath.Join(folder, "builder.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	version := regexp.MustCompile(`(?m)^  version: (\S+)$`).FindStringSubmatch(string(manifest))
	service, err := load(t).GetService("collector")
	if err != nil || version == nil || !strings.HasSuffix(service.Image, ":"+version[1]) {
		t.Errorf("builder.yaml has the version %v, compose.yaml the image %s (%v)", version, service.Image, err)
	}
}
