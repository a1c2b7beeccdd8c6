package dist_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/tools/dist"
)

const program = "package main\n\nfunc main() { println(greeting) }\n\nconst greeting = \"hello\"\n"

// shop writes a module with functions of the given folders and returns its root.
func shop(t *testing.T, folders ...string) string {
	t.Helper()
	root := t.TempDir()
	write(t, root, "go.mod", "module example.com/shop\n\ngo 1.26\n")
	for _, folder := range folders {
		write(t, root, folder+"/main.go", program)
	}
	return root
}

func write(t *testing.T, root, name, content string) {
	t.Helper()
	path := filepath.Join(root, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func build(t *testing.T, root string) dist.Result {
	t.Helper()
	result, err := dist.Build(t.Context(), dist.Options{Root: root, Out: "dist", GOARCH: "arm64"})
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func TestGOARCH(t *testing.T) {
	t.Parallel()
	for arch, want := range map[string]string{"arm64": "arm64", "amd64": "amd64", "x86_64": "amd64"} {
		if got, err := dist.GOARCH(arch); err != nil || got != want {
			t.Errorf("GOARCH(%q) = %q, %v; want %q", arch, got, err, want)
		}
	}
	if _, err := dist.GOARCH("mips"); err == nil {
		t.Error("GOARCH(mips) was accepted")
	}
}

func TestFunctions(t *testing.T) {
	t.Parallel()

	t.Run("ListsOperationsAndTheAuthorizerByName", func(t *testing.T) {
		t.Parallel()
		root := shop(t, "functions/orders/get-order", "functions/catalog/create-product", "authorizer")
		write(t, root, "functions/catalog/create_product.go", "package catalog\n")
		write(t, root, "functions/catalog/catalogddb/store.go", "package catalogddb\n")

		got, err := dist.Functions(root)
		want := []dist.Function{
			{Name: "authorizer", Folder: "authorizer"},
			{Name: "create-product", Folder: "functions/catalog/create-product"},
			{Name: "get-order", Folder: "functions/orders/get-order"},
		}
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("Functions() (-want +got):\n%s\nerr = %v", diff, err)
		}
	})

	t.Run("RefusesTwoOfOneName", func(t *testing.T) {
		t.Parallel()
		_, err := dist.Functions(shop(t, "functions/orders/list-items", "functions/catalog/list-items"))
		if err == nil || !strings.Contains(err.Error(), `functions/catalog/list-items and functions/orders/list-items have the same name "list-items"`) {
			t.Errorf("err = %v, want both folders named", err)
		}
	})

	t.Run("RefusesAnEmptyTree", func(t *testing.T) {
		t.Parallel()
		if _, err := dist.Functions(t.TempDir()); err == nil {
			t.Error("an empty tree was accepted")
		}
	})
}

func TestBuild(t *testing.T) {
	t.Parallel()

	t.Run("LaysOnlyWhatChanged", func(t *testing.T) {
		t.Parallel()
		root := shop(t, "functions/a/one", "functions/a/two")
		if diff := cmp.Diff([]string{"one", "two"}, build(t, root).Laid); diff != "" {
			t.Errorf("first build (-want +got):\n%s", diff)
		}

		before := modTime(t, root, "dist/two/bootstrap")
		write(t, root, "functions/a/one/main.go", strings.ReplaceAll(program, "hello", "servus"))
		if diff := cmp.Diff([]string{"one"}, build(t, root).Laid); diff != "" {
			t.Errorf("build after a change of one (-want +got):\n%s", diff)
		}
		if after := modTime(t, root, "dist/two/bootstrap"); !after.Equal(before) {
			t.Errorf("two was written again at %s, first at %s", after, before)
		}
		if got := build(t, root); len(got.Laid) != 0 || len(got.Removed) != 0 {
			t.Errorf("build of an unchanged tree did %+v, want nothing", got)
		}
	})

	t.Run("StoresEachBinaryOnce", func(t *testing.T) {
		t.Parallel()
		root := shop(t, "functions/a/one", "functions/a/two")
		build(t, root)
		for _, name := range []string{"one", "two"} {
			if !os.SameFile(stat(t, root, "dist/.bin/"+name), stat(t, root, "dist/"+name+"/bootstrap")) {
				t.Errorf("the disk holds %s twice", name)
			}
		}
	})

	t.Run("LinksWhatNoLaterBuildChanges", func(t *testing.T) {
		t.Parallel()
		root := shop(t, "functions/a/one", "functions/a/two")
		o := dist.Options{Root: root, Out: "dist", GOARCH: "arm64", Link: filepath.Join(root, "mine"), Only: []string{"one"}}
		result, err := dist.Build(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"one"}, result.Laid); diff != "" {
			t.Errorf("laid (-want +got):\n%s", diff)
		}
		before := content(t, root, "mine/one/bootstrap")
		write(t, root, "functions/a/one/main.go", strings.ReplaceAll(program, "hello", "servus"))
		build(t, root)
		if content(t, root, "mine/one/bootstrap") != before {
			t.Error("a build without Link changed the linked binary")
		}
		if content(t, root, "dist/one/bootstrap") == before {
			t.Error("the build did not change its own")
		}
	})

	t.Run("RefusesToBuildOnlyWhatIsNotThere", func(t *testing.T) {
		t.Parallel()
		o := dist.Options{Root: shop(t, "functions/a/one"), Out: "dist", GOARCH: "arm64", Only: []string{"two"}}
		if _, err := dist.Build(t.Context(), o); err == nil || !strings.Contains(err.Error(), `"two"`) {
			t.Errorf("err = %v, want the name", err)
		}
	})

	t.Run("WaitsForAnotherBuild", func(t *testing.T) {
		t.Parallel()
		root := shop(t, "functions/a/one")
		build(t, root)
		file, err := os.Open(filepath.Join(root, "dist/.bin"))
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		_, err = dist.Build(ctx, dist.Options{Root: root, Out: "dist", GOARCH: "arm64"})
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("err = %v, want that it waited", err)
		}
	})

	t.Run("RestoresADamagedBinary", func(t *testing.T) {
		t.Parallel()
		root := shop(t, "functions/a/one")
		build(t, root)
		write(t, root, "dist/one/bootstrap", "damaged")
		if diff := cmp.Diff([]string{"one"}, build(t, root).Laid); diff != "" {
			t.Errorf("laid (-want +got):\n%s", diff)
		}
	})

	t.Run("RemovesWhatIsNoFunction", func(t *testing.T) {
		t.Parallel()
		root := shop(t, "functions/a/one", "functions/a/two")
		build(t, root)
		if err := os.RemoveAll(filepath.Join(root, "functions/a/two")); err != nil {
			t.Fatal(err)
		}
		write(t, root, "dist/leftover.zip", "")
		want := []string{".bin/two", "leftover.zip", "two"}
		if diff := cmp.Diff(want, build(t, root).Removed); diff != "" {
			t.Errorf("removed (-want +got):\n%s", diff)
		}
		if _, err := os.Stat(filepath.Join(root, "dist/two")); !os.IsNotExist(err) {
			t.Errorf("dist/two still exists: %v", err)
		}
	})

	t.Run("RefusesAFolderThatIsNotItsOwn", func(t *testing.T) {
		t.Parallel()
		root := shop(t, "functions/a/one")
		_, err := dist.Build(t.Context(), dist.Options{Root: root, Out: ".", GOARCH: "arm64"})
		if err == nil {
			t.Fatal("the repository itself was accepted as the output folder")
		}
		if _, err := os.Stat(filepath.Join(root, "go.mod")); err != nil {
			t.Errorf("go.mod is gone: %v", err)
		}
	})

	t.Run("ReportsWhatTheCompilerSaid", func(t *testing.T) {
		t.Parallel()
		root := shop(t, "functions/a/one")
		write(t, root, "functions/a/one/main.go", "package main\n\nfunc main() { undefined() }\n")
		_, err := dist.Build(t.Context(), dist.Options{Root: root, Out: "dist", GOARCH: "arm64"})
		if err == nil || !strings.Contains(err.Error(), "functions/a/one/main.go:3:15: undefined: undefined") {
			t.Errorf("err = %v, want the compiler's line", err)
		}
	})
}

func TestCheck(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		goarch string
		damage func(t *testing.T, root string)
		want   string
	}{
		"WhatBuildLaid": {goarch: "arm64"},
		"OtherArchitecture": {
			goarch: "amd64",
			want:   `one: built with GOARCH="arm64", want "amd64"`,
		},
		"MissingBinary": {
			goarch: "arm64",
			damage: func(t *testing.T, root string) {
				t.Helper()
				write(t, root, "functions/a/fresh/main.go", program)
			},
			want: "fresh: not built",
		},
		"NotABinary": {
			goarch: "arm64",
			damage: func(t *testing.T, root string) {
				t.Helper()
				write(t, root, "dist/one/bootstrap", "#!/bin/sh\n")
			},
			want: "one: not a Go binary",
		},
		"FunctionThatIsGone": {
			goarch: "arm64",
			damage: func(t *testing.T, root string) {
				t.Helper()
				write(t, root, "dist/gone/bootstrap", "")
			},
			want: "gone: the function no longer exists",
		},
		"EditedSource": {
			goarch: "arm64",
			damage: func(t *testing.T, root string) {
				t.Helper()
				write(t, root, "functions/a/one/main.go", strings.ReplaceAll(program, "hello", "servus"))
			},
			want: "one: not what its sources compile to",
		},
		"EditedAndEditedBack": {
			goarch: "arm64",
			damage: func(t *testing.T, root string) {
				t.Helper()
				write(t, root, "functions/a/one/main.go", program+"\n")
				write(t, root, "functions/a/one/main.go", program)
			},
		},
		"OtherLinkFlags": {
			goarch: "arm64",
			damage: func(t *testing.T, root string) {
				t.Helper()
				// The flags do not show in the build's settings.
				relink := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-buildvcs=false",
					"-tags", dist.Tags, "-o", "dist/one/bootstrap", "./functions/a/one")
				relink.Dir = root
				relink.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=arm64", "GOWORK=off")
				if out, err := relink.CombinedOutput(); err != nil {
					t.Fatalf("%v\n%s", err, out)
				}
			},
			want: "one: not what its sources compile to",
		},
		"SourceThatDoesNotCompile": {
			goarch: "arm64",
			damage: func(t *testing.T, root string) {
				t.Helper()
				write(t, root, "functions/a/one/main.go", "package main\n\nfunc main() { undefined() }\n")
			},
			want: "undefined: undefined",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			root := shop(t, "functions/a/one")
			build(t, root)
			if test.damage != nil {
				test.damage(t, root)
			}
			before := content(t, root, "dist/one/bootstrap")
			err := dist.Check(t.Context(), dist.Options{Root: root, Out: "dist", GOARCH: test.goarch})
			switch {
			case test.want == "" && err != nil:
				t.Errorf("Check() = %v, want nil", err)
			case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
				t.Errorf("Check() = %v, want %q", err, test.want)
			}
			if content(t, root, "dist/one/bootstrap") != before {
				t.Error("Check laid a binary")
			}
		})
	}
}

func content(t *testing.T, root, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func stat(t *testing.T, root, name string) os.FileInfo {
	t.Helper()
	info, err := os.Stat(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return info
}

func modTime(t *testing.T, root, name string) time.Time {
	t.Helper()
	return stat(t, root, name).ModTime()
}

func TestGraphNamesWhatAFunctionContains(t *testing.T) {
	t.Parallel()
	root := shop(t, "functions/a/one", "functions/a/two")
	write(t, root, "shared/money/money.go", "package money\n")
	write(t, root, "functions/a/a.go", "package a\n\nimport _ \"example.com/shop/shared/money\"\n")
	write(t, root, "functions/a/one/use.go", "package main\n\nimport _ \"example.com/shop/functions/a\"\n")
	functions, err := dist.Functions(root)
	if err != nil {
		t.Fatal(err)
	}
	got, err := dist.Graph(t.Context(), root, functions)
	want := map[string]map[string]bool{
		"one": {"functions/a/one": true, "functions/a": true, "shared/money": true},
		"two": {"functions/a/two": true},
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("Graph() (-want +got):\n%s\nerr = %v", diff, err)
	}
}

// TestRelativeRoot builds from outside the repository. The compiler runs in the root, so its
// arguments must not be relative to the folder in which Build was called.
func TestRelativeRoot(t *testing.T) {
	root := shop(t, "functions/orders/get-order")
	t.Chdir(filepath.Dir(root))
	o := dist.Options{Root: filepath.Base(root), Out: "dist", GOARCH: "arm64"}
	if _, err := dist.Build(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	if err := dist.Check(t.Context(), o); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(root, "dist", "get-order", "bootstrap")); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(root, filepath.Base(root))); err == nil {
		t.Error("the compiler wrote elsewhere")
	}
}
