// Package secrets reads secrets named by environment variables: from AWS Secrets Manager, from
// a file, or from the variable itself. A Secret is read at INIT and refreshed in the request
// path. No error of this package carries bytes of a secret.
package secrets

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// Getter fetches a secret's value from a remote store. Get must return when ctx is done, and its
// errors must not carry bytes of the secret. Package secretsaws has the one for AWS.
type Getter interface {
	Get(ctx context.Context, arn string) ([]byte, error)
}

// maxSecret is Secrets Manager's own limit in bytes; a larger file is not a secret.
const maxSecret = 65536

// ErrSource is returned for the value of a variable that names no secret.
var ErrSource = errors.New("secrets: not a secret's source")

type sourceKind int

const (
	kindInline sourceKind = iota + 1
	kindFile
	kindAWS
)

// Source is the place of a secret. Its zero value is not valid. It prints without the secret.
type Source struct {
	name string // of the variable
	kind sourceKind
	ref  string // path, ARN or the JSON itself
}

// ParseSource reads the value of the environment variable called name:
//
//	arn:aws:secretsmanager:…   a secret in AWS Secrets Manager
//	file:/abs/path             a file, read again at every refresh
//	[…] or {…}                 the secret's JSON itself
//
// It returns ErrSource, naming the variable and never its value, for anything else: an empty
// value, and a "{{resolve:…}}" that nothing resolved.
func ParseSource(name, value string) (Source, error) {
	value = strings.TrimSpace(value)
	switch {
	case value == "":
		return Source{}, fmt.Errorf("%w: %s is empty", ErrSource, name)
	case strings.HasPrefix(value, "{{resolve:"):
		return Source{}, fmt.Errorf("%w: %s is a dynamic reference that was not resolved", ErrSource, name)
	case value[0] == '[' || value[0] == '{':
		return Source{name: name, kind: kindInline, ref: value}, nil
	case strings.HasPrefix(value, "file:"):
		path := strings.TrimPrefix(value, "file:")
		if !filepath.IsAbs(path) {
			return Source{}, fmt.Errorf("%w: %s needs file: with an absolute path", ErrSource, name)
		}
		return Source{name: name, kind: kindFile, ref: path}, nil
	case isSecretARN(value):
		return Source{name: name, kind: kindAWS, ref: value}, nil
	default:
		return Source{}, fmt.Errorf("%w: %s is neither a Secrets Manager ARN, nor file:/path, nor JSON", ErrSource, name)
	}
}

// isSecretARN accepts every partition: aws, aws-cn, aws-us-gov.
func isSecretARN(value string) bool {
	parts := strings.SplitN(value, ":", 7)
	return len(parts) == 7 && parts[0] == "arn" && strings.HasPrefix(parts[1], "aws") &&
		parts[2] == "secretsmanager" && parts[3] != "" && parts[5] == "secret" && parts[6] != ""
}

// String returns the variable's name and where it points, without an inline secret.
func (s Source) String() string {
	switch s.kind {
	case kindInline:
		return s.name + " (inline)"
	case kindFile:
		return s.name + " (file:" + s.ref + ")"
	case kindAWS:
		return s.name + " (" + s.ref + ")"
	default:
		return "no source"
	}
}

// GoString keeps an inline secret out of %#v.
func (s Source) GoString() string { return "secrets.Source(" + s.String() + ")" }

// read fetches the secret. It uses getter for an ARN only.
func (s Source) read(ctx context.Context, getter Getter) ([]byte, error) {
	switch s.kind {
	case kindInline:
		return []byte(s.ref), nil
	case kindFile:
		return readFile(s.ref)
	case kindAWS:
		if getter == nil {
			return nil, errors.New("this function is built without Secrets Manager")
		}
		return getter.Get(ctx, s.ref)
	default:
		return nil, ErrSource
	}
}

func readFile(path string) (data []byte, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()

	data, err = io.ReadAll(io.LimitReader(f, maxSecret+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxSecret {
		return nil, fmt.Errorf("%s is larger than %d bytes", path, maxSecret)
	}
	return bytes.TrimSpace(data), nil
}
