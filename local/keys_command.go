package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/tienda-dev/tienda/local/keys"
	"github.com/tienda-dev/tienda/local/stack"
	"github.com/tienda-dev/tienda/local/template"
	"github.com/tienda-dev/tienda/local/token"
	"github.com/tienda-dev/tienda/shared/jwt"
)

// sessionIdle is the template's parameter for SESSION_IDLE.
const sessionIdle = "SessionIdle"

// rotation holds the arguments of `local keys`.
type rotation struct {
	secret string // its logical id in the template
	from   string // a file to read instead of the local secret; the result is printed
	step   string
	alg    string
	kid    string
	idle   time.Duration // how long a session lives without a refresh; 0 is the template's value
	force  bool
}

// rotate makes the local keys if there are none, and takes one step of a rotation. With a file, for
// secrets that are kept elsewhere, it only prints the new secret.
func rotate(opts stack.Options, r rotation, now time.Time, out io.Writer) error {
	path := r.from
	if path == "" {
		var err error
		if path, err = localSecret(opts, r.secret); err != nil {
			return err
		}
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	kind := keys.Access
	if strings.Contains(r.secret, "Refresh") {
		kind = keys.Refresh
	}
	set, err := keys.Parse(kind, data)
	if err != nil {
		return err
	}

	switch r.step {
	case "show":
		return show(set, out)
	case "public":
		public, err := set.Public()
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(out, string(public))
		return err
	case "add":
		err = set.Add(r.alg, now)
	case "promote":
		err = set.Promote(r.force, now)
	case "remove":
		var life time.Duration
		if life, err = r.life(opts, kind); err == nil {
			err = set.Remove(life, r.force, now)
		}
	case "revoke":
		err = set.Revoke(r.kid, now)
	default:
		return fmt.Errorf("unknown step %q (want show, add, promote, remove, revoke or public)", r.step)
	}
	if err != nil {
		return err
	}
	changed, err := set.Secret()
	if err != nil {
		return err
	}
	if r.from != "" {
		_, err := fmt.Fprintln(out, string(changed))
		return err
	}
	if err := replace(path, changed); err != nil {
		return err
	}
	return show(set, out)
}

// life returns how long a token of the kind is in use. For refresh keys from a file, the caller must say.
func (r rotation) life(opts stack.Options, kind keys.Kind) (time.Duration, error) {
	switch {
	case kind == keys.Access:
		return jwt.MaxTTL, nil
	case r.idle > 0 || r.force:
		return r.idle, nil
	case r.from != "":
		return 0, errors.New("-idle is required: the SESSION_IDLE of that stack, as in -idle 168h")
	}
	t, err := stack.ReadTemplate(opts)
	if err != nil {
		return 0, err
	}
	idle, err := time.ParseDuration(t.Parameters[sessionIdle])
	if err != nil {
		return 0, fmt.Errorf("the template's parameter %s: %w", sessionIdle, err)
	}
	return idle, nil
}

// localSecret returns the file of a secret of the template, and makes it if it is missing.
func localSecret(opts stack.Options, logicalID string) (string, error) {
	t, err := stack.ReadTemplate(opts)
	if err != nil {
		return "", err
	}
	if !slices.ContainsFunc(t.Secrets, func(s template.Secret) bool { return s.LogicalID == logicalID }) {
		return "", fmt.Errorf("the template has no secret %q", logicalID)
	}
	cache, err := filepath.Abs(filepath.Join(opts.Root, ".cache"))
	if err != nil {
		return "", err
	}
	return token.Path(cache, logicalID), token.EnsureSecrets(cache, t.Secrets)
}

// show prints a line for each key, without its bytes.
func show(set *keys.Set, out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, line := range set.Lines() {
		since := ""
		if !line.Since.IsZero() {
			since = "\tsince " + line.Since.Format(time.RFC3339)
		}
		if _, err := fmt.Fprintf(w, "%s\t%s\t%s%s\n", line.ID, line.Alg, line.Status, since); err != nil {
			return err
		}
	}
	return w.Flush()
}

// replace writes the file in one step, readable by its owner only.
func replace(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-") // mode 0600
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }()
	_, err = f.Write(data)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
