//go:build !linux

package harness

import "errors"

// Evict takes a file out of the page cache. Only Linux lets a program do that.
func Evict(string) error { return notMeasured("page cache", errors.ErrUnsupported) }
