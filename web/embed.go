// Package web holds the console as it was built (make web), for the binary to carry. It owns the folder dist and promises
// nothing about its content: a tree that was never built has no index.html.
package web

import "embed"

// Dist is the built console; everything stands below "dist/".
//
//go:embed all:dist
var Dist embed.FS
