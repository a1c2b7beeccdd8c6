package comparison

import (
	"os"
	"path/filepath"

	"github.com/tienda-dev/tienda/tests/bench/harness"
)

// trust is which roots the functions find. The zero value changes nothing.
type trust struct {
	// system is a file with the machine's roots and the bench's; pinned is one with those that Tienda pins for AWS's
	// endpoints and the bench's. none is a folder without certificates.
	system, pinned, none string
	roots                int
}

// newTrust writes the trust stores into a folder.
func newTrust(authority *harness.Authority, root, folder string) (trust, error) {
	t := trust{
		system: filepath.Join(folder, "roots.pem"), pinned: filepath.Join(folder, "pinned.pem"), none: filepath.Join(folder, "no-roots"),
	}
	var err error
	if t.roots, err = authority.WriteBundle(t.system); err != nil {
		return t, err
	}
	amazon, err := os.ReadFile(filepath.Join(root, "shared", "awsclient", "amazon_trust_services.pem"))
	if err != nil {
		return t, err
	}
	if err := os.WriteFile(t.pinned, append(amazon, authority.Root()...), 0o600); err != nil {
		return t, err
	}
	return t, os.MkdirAll(t.none, 0o755)
}

// env are the variables of one binary. Tienda's functions verify AWS's endpoints with roots that they embed and do not look
// into the system's store. The backends here are not AWS's, so those functions get a store with as many roots as they embed;
// the peers get the machine's, as on Lambda.
func (t trust) env(d definition) []string {
	switch {
	case t.system == "":
		return nil
	case d.peer:
		return []string{"SSL_CERT_FILE=" + t.system}
	default:
		return []string{"SSL_CERT_FILE=" + t.pinned, "SSL_CERT_DIR=" + t.none}
	}
}
