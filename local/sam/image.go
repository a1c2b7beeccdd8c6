package sam

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/tienda-dev/tienda/local/child"
)

// Image is the container image in which functions run.
type Image string

// The images.
const (
	// AutoImage is the stand-in if it has been made or the registry does not answer, and otherwise the
	// public image.
	AutoImage Image = ""
	// PublicImage is AWS's own, from its public registry.
	PublicImage Image = "public"
	// StandInImage is made on this machine from files of the SAM CLI, without a registry.
	StandInImage Image = "stand-in"
)

const (
	// invokeImage is the image in samconfig.toml. SAM uses repository:rapid-<architecture> instead if that
	// exists.
	invokeImage = "tienda-lambda:al2023"
	registry    = "https://public.ecr.aws/v2/"
	// contentLabel is the label with the digest of an image's content.
	contentLabel = "tienda.content"
)

func (i Image) check() error {
	switch i {
	case AutoImage, PublicImage, StandInImage:
		return nil
	}
	return fmt.Errorf("IMAGE is %q (want public, stand-in or nothing)", string(i))
}

// StandIn is the name of the stand-in image for an architecture in Lambda's words.
func StandIn(arch string) string {
	repository, _, _ := strings.Cut(invokeImage, ":")
	return repository + ":rapid-" + arch
}

// MakeImage makes the stand-in image unless it exists and is up to date. It reports whether it made one.
func (c *CLI) MakeImage(ctx context.Context) (made bool, err error) {
	root, err := c.rootFS(ctx)
	if err != nil {
		return false, fmt.Errorf("the stand-in image: %w", err)
	}
	sum := sha256.Sum256(root)
	content := hex.EncodeToString(sum[:])
	name := StandIn(c.arch)
	before := c.imageID(ctx, name)
	if before != "" {
		got, err := docker(ctx, "image", "inspect", "--format", `{{index .Config.Labels "`+contentLabel+`"}}`, name)
		if err == nil && got == content {
			return false, nil
		}
	}

	cmd := exec.CommandContext(ctx, "docker", "import", "--platform", "linux/"+runtime.GOARCH,
		"--change", "LABEL "+contentLabel+"="+content, "-", name)
	cmd.Stdin = bytes.NewReader(root)
	if out, err := cmd.CombinedOutput(); err != nil {
		return false, fmt.Errorf("the stand-in image: docker import: %w: %s", err, child.LastLine(string(out)))
	}
	if before != "" {
		_, _ = docker(ctx, "rmi", before) // a container may still use it
	}
	return true, nil
}

func (c *CLI) imageID(ctx context.Context, name string) string {
	id, err := docker(ctx, "image", "inspect", "--format", "{{.Id}}", name)
	if err != nil {
		return ""
	}
	return id
}

// image returns the image to use, chosen once, and makes the stand-in if it is needed.
func (c *CLI) image(ctx context.Context) (Image, error) {
	c.imageMu.Lock()
	defer c.imageMu.Unlock()
	if c.chosen != AutoImage {
		return c.chosen, nil
	}
	image, err := c.chooseImage(ctx)
	if err == nil {
		c.chosen = image
	}
	return image, err
}

func (c *CLI) chooseImage(ctx context.Context) (Image, error) {
	image := c.cfg.Image
	if image == AutoImage {
		image = StandInImage
		if c.imageID(ctx, StandIn(c.arch)) == "" && registryAnswers(ctx) {
			image = PublicImage
		}
	}
	if image == PublicImage {
		return image, nil
	}
	made, err := c.MakeImage(ctx)
	if made {
		c.note("made the image " + StandIn(c.arch))
	}
	return image, err
}

// registryAnswers reports whether AWS's public registry can be reached: it answers 401 without a token.
func registryAnswers(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, registry, http.NoBody)
	if err != nil {
		return false
	}
	res, err := (&http.Client{Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true}}).Do(req)
	if err != nil {
		return false
	}
	_ = res.Body.Close()
	return res.StatusCode == http.StatusOK || res.StatusCode == http.StatusUnauthorized
}

// rootFS returns the stand-in's root folder as a tar archive, the same bytes for the same content:
// SAM's own runtime interface emulator behind the command in folder rie, Lambda's folders, and this
// machine's certificate authorities.
func (c *CLI) rootFS(ctx context.Context) ([]byte, error) {
	emulator, err := c.emulator()
	if err != nil {
		return nil, err
	}
	front, err := c.buildFront(ctx)
	if err != nil {
		return nil, err
	}

	var buf bytes.Buffer
	w := &archive{tar: tar.NewWriter(&buf)}
	for _, dir := range []string{"etc", "etc/ssl", "etc/ssl/certs", "opt", "var", "var/rapid", "var/runtime", "var/task"} {
		w.folder(dir, 0o755)
	}
	w.folder("tmp", 0o1777)
	w.file("etc/passwd", 0o644, []byte("root:x:0:0:root:/:/sbin/nologin\n"))
	if authorities := certificateAuthorities(); authorities != nil {
		w.file("etc/ssl/certs/ca-certificates.crt", 0o644, authorities)
	}
	w.file("var/rapid/aws-lambda-rie", 0o755, front)
	w.file("var/rapid/rie", 0o755, emulator)
	return buf.Bytes(), w.close()
}

// emulator reads the runtime interface emulator in the SAM CLI's package.
func (c *CLI) emulator() ([]byte, error) {
	pattern := filepath.Join(filepath.Dir(filepath.Dir(c.cfg.Command)),
		"lib", "python3*", "site-packages", "samcli", "local", "rapid", "aws-lambda-rie-"+c.arch)
	found, err := filepath.Glob(pattern)
	if err != nil || len(found) == 0 {
		return nil, fmt.Errorf("the SAM CLI has no emulator for %s at %s", c.arch, pattern)
	}
	return os.ReadFile(found[0])
}

// buildFront compiles the command that runs the emulator.
func (c *CLI) buildFront(ctx context.Context) ([]byte, error) {
	out := c.path("rie")
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w", "-o", out, "./local/sam/rie")
	cmd.Dir = c.root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+runtime.GOARCH, "GOFLAGS=-buildvcs=false", "GOWORK=off")
	if message, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("go build: %w: %s", err, strings.TrimSpace(string(message)))
	}
	return os.ReadFile(out)
}

// certificateAuthorities returns this machine's, from the first usual path that exists; nil without any.
// Nothing that runs locally needs them: DynamoDB Local speaks plain HTTP.
func certificateAuthorities() []byte {
	for _, path := range []string{
		"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem",
	} {
		if data, err := os.ReadFile(path); err == nil {
			return data
		}
	}
	return nil
}

// archive writes a tar archive and keeps the first error.
type archive struct {
	tar *tar.Writer
	err error
}

func (a *archive) folder(name string, mode int64) {
	a.write(tar.Header{Typeflag: tar.TypeDir, Name: name + "/", Mode: mode}, nil)
}

func (a *archive) file(name string, mode int64, data []byte) {
	a.write(tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: mode, Size: int64(len(data))}, data)
}

func (a *archive) write(header tar.Header, data []byte) {
	if a.err != nil {
		return
	}
	header.ModTime = time.Unix(0, 0)
	if a.err = a.tar.WriteHeader(&header); a.err == nil {
		_, a.err = io.Copy(a.tar, bytes.NewReader(data))
	}
}

func (a *archive) close() error {
	if a.err != nil {
		return a.err
	}
	return a.tar.Close()
}
