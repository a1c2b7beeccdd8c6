package observe

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
)

const (
	// prometheusDebian is the version of Debian's package: 2.42 in Debian 12 and 2.45 in Ubuntu 24.04, in any revision.
	prometheusDebian = "2.4*"
	// prometheusModule is what is built where Debian's package cannot be had; v0.316.0 is Prometheus 3.16.
	prometheusModule = "v0.316.0"
	// prometheusPages is where Debian's package has its pages, below the folder that Prometheus returns. The module has none.
	prometheusPages = "share/prometheus/web"
)

// pagePackage finds the packages on which the pages depend. They refer to each other by relative links.
var pagePackage = regexp.MustCompile(`\b(?:libjs|fonts)-[a-z0-9.+-]+`)

// Prometheus returns the folder with the programs prometheus and promtool: Debian's, downloaded and unpacked but not
// installed, and otherwise built from their module, which takes about ten minutes and has no pages.
func (t Tools) Prometheus(ctx context.Context) (string, error) {
	return t.install(ctx, "prometheus-with-pages", func(ctx context.Context, folder string) error {
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
	t.note("downloading Debian's packages of Prometheus and its pages (25 MB, once)")
	unpacked := filepath.Join(folder, "unpacked")
	wanted, seen := []string{"prometheus=" + prometheusDebian}, map[string]bool{}
	for len(wanted) > 0 {
		if _, err := run(ctx, folder, nil, "apt-get", append([]string{"download"}, wanted...)...); err != nil {
			return err
		}
		wanted = nil
		packages, err := filepath.Glob(filepath.Join(folder, "*.deb"))
		if err != nil {
			return err
		}
		for _, file := range packages {
			if _, err := run(ctx, folder, nil, "dpkg-deb", "--extract", file, unpacked); err != nil {
				return err
			}
			depends, err := run(ctx, folder, nil, "dpkg-deb", "--field", file, "Depends")
			if err != nil {
				return err
			}
			for _, name := range pagePackage.FindAllString(string(depends), -1) {
				if !seen[name] {
					seen[name], wanted = true, append(wanted, name)
				}
			}
			if err := os.Remove(file); err != nil {
				return err
			}
		}
	}
	for _, program := range []string{"prometheus", "promtool"} {
		if err := os.Rename(filepath.Join(unpacked, "usr", "bin", program), filepath.Join(folder, program)); err != nil {
			return err
		}
	}
	// The history of all time zones is 200 MB that the pages do not load.
	if err := os.RemoveAll(filepath.Join(unpacked, "usr", "share", "javascript", "moment-timezone", "data")); err != nil {
		return err
	}
	if err := os.Rename(filepath.Join(unpacked, "usr", "share"), filepath.Join(folder, "share")); err != nil {
		return err
	}
	return os.RemoveAll(unpacked)
}
