package main

import (
	"fmt"
	"runtime"
)

type versionCommand struct{}

func (versionCommand) Run() error { //nolint:unparam // as every command
	fmt.Printf("lampworks %s %s %s/%s\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return nil
}
