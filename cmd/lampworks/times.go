package main

import (
	"fmt"
	"reflect"
	"time"

	"github.com/alecthomas/kong"
)

// timeFlags reads flags that are times; what kong says of another is Go's.
func timeFlags() kong.Option {
	return kong.TypeMapper(reflect.TypeFor[time.Time](), kong.MapperFunc(func(ctx *kong.DecodeContext, target reflect.Value) error {
		var text string
		if err := ctx.Scan.PopValueInto("time", &text); err != nil {
			return err
		}
		t, err := time.Parse(time.RFC3339, text)
		if err != nil {
			return fmt.Errorf(say("want a time as 2026-01-31T08:00:00Z, got %q", "应为 2026-01-31T08:00:00Z 这样的时间，收到的是 %q"), text)
		}
		target.Set(reflect.ValueOf(t))
		return nil
	}))
}

// durationFlags reads flags that are durations. None is negative, and one with the tag least is that at least: what is less
// would be sent as nothing, and mean the default.
func durationFlags() kong.Option {
	return kong.TypeMapper(reflect.TypeFor[time.Duration](), kong.MapperFunc(func(ctx *kong.DecodeContext, target reflect.Value) error {
		var text string
		if err := ctx.Scan.PopValueInto("duration", &text); err != nil {
			return err
		}
		var least time.Duration
		rule := say("want a duration as 500ms, 90s or 1h", "应为 500ms、90s 或 1h 这样的时长")
		if tag := ctx.Value.Tag.Get("least"); tag != "" {
			var err error
			if least, err = time.ParseDuration(tag); err != nil {
				return fmt.Errorf("the tag least: %w", err)
			}
			rule += say(", "+tag+" or more", "，至少 "+tag)
		}
		d, err := time.ParseDuration(text)
		if err != nil || d < least {
			return fmt.Errorf(say("%s, got %q", "%s，收到的是 %q"), rule, text)
		}
		target.SetInt(int64(d))
		return nil
	}))
}
