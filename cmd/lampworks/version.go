package main

import (
	"fmt"
	"runtime"
)

type versionCommand struct{}

func (versionCommand) Run() error {
	fmt.Printf("lampworks %s %s %s/%s\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return nil
}
