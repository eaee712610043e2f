package main

import (
	"fmt"
	"math"
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
// would be sent as nothing, and mean the default. One with the tag most is that at most.
func durationFlags() kong.Option {
	return kong.TypeMapper(reflect.TypeFor[time.Duration](), kong.MapperFunc(func(ctx *kong.DecodeContext, target reflect.Value) error {
		var text string
		if err := ctx.Scan.PopValueInto("duration", &text); err != nil {
			return err
		}
		least, most, err := bounds(ctx.Value.Tag)
		if err != nil {
			return err
		}
		d, err := time.ParseDuration(text)
		switch {
		case err == nil && d > most:
			return fmt.Errorf(say("%s, want at most %s", "%s，最多 %s"), text, ctx.Value.Tag.Get("most"))
		case err != nil || d < least:
			rule := say("want a duration as 500ms, 90s or 1h", "应为 500ms、90s 或 1h 这样的时长")
			if least > 0 {
				rule += say(", "+least.String()+" or more", "，至少 "+least.String())
			}
			return fmt.Errorf(say("%s, got %q", "%s，收到的是 %q"), rule, text)
		}
		target.SetInt(int64(d))
		return nil
	}))
}

// bounds are what the tags least and most of a duration allow.
func bounds(tag *kong.Tag) (least, most time.Duration, err error) {
	most = math.MaxInt64
	for name, bound := range map[string]*time.Duration{"least": &least, "most": &most} {
		if text := tag.Get(name); text != "" {
			if *bound, err = time.ParseDuration(text); err != nil {
				return 0, 0, fmt.Errorf("the tag %s: %w", name, err)
			}
		}
	}
	return least, most, nil
}
