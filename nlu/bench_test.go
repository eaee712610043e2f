package nlu

import (
	"fmt"
	"runtime"
	"testing"
)

func BenchmarkRead(b *testing.B) {
	x := testIndex(b)
	for _, u := range []string{"打开客厅的灯", "把客厅和餐厅的灯调到百分之七十", "先关窗帘再打开电视", "除了台灯以外，书房的灯都关了", "打开书访台灯", "set the guest room air conditioner to heat at 24 degrees"} {
		b.Run(u, func(b *testing.B) {
			c := &Context{Room: "lr"}
			b.ReportAllocs()
			for b.Loop() {
				if r := x.Read(c, u); r.Outcome != Act {
					b.Fatal(r.Outcome, r.Reason)
				}
			}
		})
	}
}

// BenchmarkReadSet reads all sentences of the home in turn: the mix that the p50 is quoted for.
func BenchmarkReadSet(b *testing.B) {
	x, list := testIndex(b), seeds(b)
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		x.Read(nil, list[i%len(list)])
		i++
	}
}

func largeHome(t testing.TB) Home {
	t.Helper()
	small := testHome(t)
	h := Home{Scenes: small.Scenes}
	for k := range 5 {
		for _, r := range small.Rooms {
			n := Room{ID: fmt.Sprintf("%s%d", r.ID, k), Names: map[string][]string{}}
			for lang, list := range r.Names {
				for _, name := range list {
					n.Names[lang] = append(n.Names[lang], fmt.Sprintf("%s%d", name, k))
				}
			}
			h.Rooms = append(h.Rooms, n)
		}
		for _, d := range small.Devices {
			d.ID, d.Room = fmt.Sprintf("%s%d", d.ID, k), fmt.Sprintf("%s%d", d.Room, k)
			h.Devices = append(h.Devices, d)
		}
	}
	return h
}

func BenchmarkCompile210(b *testing.B) {
	h := largeHome(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Compile(h); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkCompileSpoken is a home in which every product has a voice configuration.
func BenchmarkCompileSpoken(b *testing.B) {
	h := largeHome(b)
	voices := map[string]*Voice{}
	for i := range h.Devices {
		d := &h.Devices[i]
		if voices[d.Category] == nil {
			v := &Voice{Names: map[string][]string{Chinese: {"雪球" + d.Category, "铁蛋" + d.Category}, English: {"snow ball " + d.Category}}, Properties: map[string]VoiceProperty{}}
			for _, p := range d.Model.Properties() {
				v.Properties[p.Identifier] = VoiceProperty{Names: map[string][]string{Chinese: {"玄" + p.Identifier}, English: {"odd " + p.Identifier}}}
			}
			voices[d.Category] = v
		}
		d.Voice = voices[d.Category]
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Compile(h); err != nil {
			b.Fatal(err)
		}
	}
}

// held is what keep costs on the heap, in bytes, once what it left over is collected.
func held(keep func()) int64 {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	keep()
	runtime.GC()
	runtime.ReadMemStats(&after)
	return int64(after.HeapAlloc) - int64(before.HeapAlloc)
}

// TestHomeIsSmall: a compiled home of 210 devices holds at most 1 MB.
func TestHomeIsSmall(t *testing.T) {
	h := largeHome(t)
	var x *Index
	compile := func() {
		var err error
		if x, err = Compile(h); err != nil {
			t.Fatal(err)
		}
	}
	compile() // loads the vocabulary
	x = nil
	b := held(compile)
	t.Logf("a home of %d devices holds %d bytes", len(h.Devices), b)
	if b > 1<<20 {
		t.Errorf("a home of %d devices holds %d bytes, want at most 1 MiB", len(h.Devices), b)
	}
	runtime.KeepAlive(x)
}

// BenchmarkHomes is 10,000 homes of 42 devices in one process: what each holds, and what it takes to compile it.
func BenchmarkHomes(b *testing.B) {
	h := testHome(b)
	if _, err := Compile(*h); err != nil {
		b.Fatal(err)
	}
	const homes = 10_000
	for b.Loop() {
		all := make([]*Index, homes)
		bytes := held(func() {
			for i := range all {
				var err error
				if all[i], err = Compile(*h); err != nil {
					b.Fatal(err)
				}
			}
		})
		runtime.KeepAlive(all)
		b.ReportMetric(float64(bytes)/homes, "B/home")
		b.ReportMetric(float64(bytes)/(1<<20), "MiB")
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/homes, "µs/home")
}
