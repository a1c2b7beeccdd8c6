package observe

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

const (
	// prometheusDebian is the version of Debian's package: 2.42 in Debian 12 and 2.45 in Ubuntu 24.04, in any revision.
	prometheusDebian = "2.4*"
	// prometheusModule is what is built where Debian's package cannot be had; v0.316.0 is Prometheus 3.16.
	prometheusModule = "v0.316.0"
)

// Prometheus returns the folder with the programs prometheus and promtool: Debian's, downloaded and unpacked but not
// installed, and otherwise built from their module, which takes about ten minutes.
func (t Tools) Prometheus(ctx context.Context) (string, error) {
	return t.install(ctx, "prometheus", func(ctx context.Context, folder string) error {
		why := t.prometheusFromDebian(ctx, folder)
		if why == nil || ctx.Err() != nil {
			return why
		}
		t.note("Debian's package of Prometheus cannot be had (%v): building Prometheus from its module, some ten minutes, once", why)
		for _, program := range []string{"prometheus", "promtool"} {
			// The default build links the clients of all clouds; the tag leaves them out.
			_, err := run(ctx, folder, append(host(), "GOBIN="+folder), "go", "install", "-trimpath", "-ldflags", "-s -w",
				"-tags", "remove_all_sd", "github.com/prometheus/prometheus/cmd/"+program+"@"+prometheusModule)
			if err != nil {
				return err
			}
		}
		return nil
	})
}

func (t Tools) prometheusFromDebian(ctx context.Context, folder string) error {
	for _, program := range []string{"apt-get", "dpkg-deb"} {
		if _, err := exec.LookPath(program); err != nil {
			return fmt.Errorf("%s is missing", program)
		}
	}
	t.note("downloading Debian's package of Prometheus (20 MB, once)")
	if _, err := run(ctx, folder, nil, "apt-get", "download", "prometheus="+prometheusDebian); err != nil {
		return err
	}
	packages, err := filepath.Glob(filepath.Join(folder, "prometheus_*.deb"))
	if err != nil || len(packages) != 1 {
		return fmt.Errorf("apt-get download left %d packages", len(packages))
	}
	unpacked := filepath.Join(folder, "unpacked")
	if _, err := run(ctx, folder, nil, "dpkg-deb", "--extract", packages[0], unpacked); err != nil {
		return err
	}
	for _, program := range []string{"prometheus", "promtool"} {
		if err := os.Rename(filepath.Join(unpacked, "usr", "bin", program), filepath.Join(folder, program)); err != nil {
			return err
		}
	}
	if err := os.RemoveAll(unpacked); err != nil {
		return err
	}
	return os.Remove(packages[0])
}
