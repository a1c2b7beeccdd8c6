package stack

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/tienda-dev/tienda/tools/dist"
)

// quiet is how long nothing may be saved before a change counts as complete: an editor, or a checkout,
// writes several files.
const quiet = 50 * time.Millisecond

// sourceFolders returns the folders of what functions are built from.
func sourceFolders() []string { return []string{"authorizer", "functions", "internal", "shared"} }

// watcher reports the files of the repository that change.
type watcher struct {
	root  string
	files *fsnotify.Watcher
	graph map[string]map[string]bool // folders by function; nil when it must be read again
	// What is not served yet, after an error.
	stale    map[string]bool // functions
	template bool
}

// newWatcher starts to collect changes below root.
func newWatcher(root string) (*watcher, error) {
	files, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, fmt.Errorf("watch the sources: %w", err)
	}
	w := &watcher{root: root, files: files, stale: map[string]bool{}}
	err = files.Add(root)
	for _, folder := range sourceFolders() {
		err = errors.Join(err, w.add(filepath.Join(root, folder)))
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("watch the sources: %w", err), files.Close())
	}
	return w, nil
}

// watchSources starts a watcher if the options ask for one, before anything is built.
func (s *Stack) watchSources(opts Options) (*watcher, error) {
	if opts.Builder == nil || !opts.Watch {
		return nil, nil
	}
	w, err := newWatcher(opts.Root)
	if err == nil {
		s.stops = append(s.stops, func() { _ = w.files.Close() })
	}
	return w, err
}

// add watches a folder and the folders below it. It ignores a folder that has been removed.
func (w *watcher) add(folder string) error {
	return filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil || !d.IsDir():
			return err
		case d.Name() == "testdata" || strings.HasPrefix(d.Name(), "."):
			return fs.SkipDir
		}
		return w.files.Add(path)
	})
}

// next waits for changes and returns the files, relative to the root, when nothing has changed for a
// moment.
func (w *watcher) next(ctx context.Context) (changed []string, err error) {
	found := map[string]bool{}
	timer := time.NewTimer(quiet)
	timer.Stop() // until something changes
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case err, ok := <-w.files.Errors:
			if errors.Is(err, fsnotify.ErrEventOverflow) { // many files at once: take all as changed
				found["template.yaml"], found["go.mod"] = true, true
				timer.Reset(quiet)
				continue
			}
			if !ok || err != nil {
				return nil, fmt.Errorf("watch the sources: %w", errors.Join(err, fs.ErrClosed))
			}
		case e := <-w.files.Events:
			rel, err := filepath.Rel(w.root, e.Name)
			if err != nil || e.Op == fsnotify.Chmod {
				continue
			}
			rel = filepath.ToSlash(rel)
			if info, err := os.Stat(e.Name); err == nil && info.IsDir() {
				if strings.Contains(rel, "/") && e.Has(fsnotify.Create) {
					if err := w.add(e.Name); err != nil {
						return nil, err
					}
					w.graph = nil
				}
				continue
			}
			if relevant(rel) {
				found[rel] = true
				timer.Reset(quiet)
			}
		case <-timer.C:
			return slices.Sorted(maps.Keys(found)), nil
		}
	}
}

// relevant reports whether a change of the file can change what is served.
func relevant(file string) bool {
	switch file {
	case "template.yaml", "go.mod", "go.sum":
		return true
	}
	return strings.HasSuffix(file, ".go") && !strings.HasSuffix(file, "_test.go") && strings.Contains(file, "/")
}

// note adds files to what is not served yet.
func (w *watcher) note(ctx context.Context, files []string) error {
	for _, file := range files {
		if file == "template.yaml" {
			w.template = true
			continue
		}
		folder := file[:max(strings.LastIndexByte(file, '/'), 0)]
		known := false
		for range 2 { // a folder that the graph does not have may be new
			if w.graph == nil {
				if err := w.readGraph(ctx); err != nil {
					return err
				}
			}
			for function, folders := range w.graph {
				if folder == "" || folders[folder] {
					w.stale[function], known = true, true
				}
			}
			if known {
				break
			}
			w.graph = nil
		}
	}
	return nil
}

func (w *watcher) readGraph(ctx context.Context) error {
	functions, err := dist.Functions(w.root)
	if err == nil {
		w.graph, err = dist.Graph(ctx, w.root, functions)
	}
	return err
}

// follow serves each change of the sources and of the template until ctx ends. What cannot be served is
// shown, and the old state goes on.
func (d *development) follow(ctx context.Context, w *watcher) {
	// The graph is read before the first change, and again after each one, when nobody waits for it.
	if err := w.readGraph(ctx); err != nil && ctx.Err() == nil {
		d.note(err.Error())
	}
	for {
		files, err := w.next(ctx)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			d.note(err.Error() + "; changes are no longer followed")
			return
		}
		began := time.Now()
		what, err := d.change(ctx, w, files)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			d.note(strings.Join(files, ", ") + ": the old version goes on serving:\n" + err.Error())
		case what != "":
			d.note(fmt.Sprintf("%s: %s after %.1f s", strings.Join(files, ", "), what, time.Since(began).Seconds()))
		}
		select {
		case d.more <- struct{}{}:
		default:
		}
		if err := w.readGraph(ctx); err != nil {
			w.graph = nil // the next change reads it, and shows the error
		}
	}
}

// change builds what the files reach, and swaps. It returns what is new, or "".
func (d *development) change(ctx context.Context, w *watcher, files []string) (string, error) {
	if err := w.note(ctx, files); err != nil {
		return "", err
	}
	rebuilt, err := d.opts.Builder.Rebuild(ctx, slices.Sorted(maps.Keys(w.stale)))
	if err != nil {
		return "", err
	}
	if len(rebuilt.Functions) == 0 && !w.template {
		clear(w.stale)
		return "", nil
	}
	now := d.live.now()
	t, functions := now.template, slices.Clone(now.functions)
	if w.template {
		if t, err = ReadTemplate(d.opts); err == nil && t.API == nil {
			err = errors.New("the template has no HTTP API to serve")
		}
		if err == nil {
			functions, err = d.prepare(ctx, t)
		}
	}
	if err != nil {
		rebuilt.Drop()
		return "", err
	}
	for i, f := range functions {
		if path, ok := rebuilt.Paths[f.Name]; ok {
			functions[i].Binary = path
		}
	}
	next, err := newGeneration(t, functions, d.opts, d.out)
	if err == nil {
		if err = checkInit(ctx, next.chosen(rebuilt.Functions)); err != nil {
			next.Close()
		}
	}
	if err != nil {
		rebuilt.Drop()
		return "", err
	}
	d.live.swap(next, rebuilt.Apply())
	if w.template {
		if err := d.stack.replaceEvents(ctx, t); err != nil && ctx.Err() == nil {
			d.note(err.Error())
		}
	}
	reloaded := w.template
	clear(w.stale)
	w.template = false
	var what []string
	if reloaded {
		what = append(what, "the template is served")
	}
	if n := len(rebuilt.Functions); n > 0 {
		const most = 4
		names := strings.Join(rebuilt.Functions[:min(n, most)], ", ")
		if n > most {
			names += fmt.Sprintf(" and %d more", n-most)
		}
		what = append(what, names+" swapped")
	}
	return strings.Join(what, ", "), nil
}
