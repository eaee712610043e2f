package alink

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

const (
	somePK = "a1X2bEnP82z"
	someDN = "78da07c11ca8"
)

// argOf returns an argument that row t takes.
func argOf(t Template) string {
	switch {
	case t == ExtRRPC:
		return "17/" + somePK + "/" + someDN + "/user/a/b"
	case t == User:
		return "a/b"
	case shapes[t].arg:
		return "wakeup"
	}
	return ""
}

func TestEveryRowIsCompleteAndFindsItself(t *testing.T) {
	all := Templates()
	if len(all) != int(templateEnd)-1 {
		t.Fatalf("%d rows, want %d", len(all), templateEnd-1)
	}
	seen := map[string]Template{}
	for _, row := range all {
		if row.String() == "" || row.Direction() == 0 {
			t.Errorf("row %d has no topic or no direction", row)
		}
		if other, ok := seen[row.String()]; ok {
			t.Errorf("rows %d and %d are both %s", row, other, row)
		}
		seen[row.String()] = row
		topic := row.Topic(somePK, someDN, argOf(row))
		got, arg, ok := Match([]byte(topic), somePK, someDN)
		if got != row || string(arg) != argOf(row) || !ok {
			t.Errorf("Match(%s) = %s, %q, %v, want %s, %q", topic, got, arg, ok, row, argOf(row))
		}
		if strings.ContainsAny(topic, "{}") {
			t.Errorf("%s became %s", row, topic)
		}
	}
}

func TestReplyGoesTheOtherWay(t *testing.T) {
	for _, row := range Templates() {
		r := row.Reply()
		if strings.HasSuffix(r.String(), "_reply") && strings.TrimSuffix(r.String(), "_reply") != row.String() {
			t.Errorf("%s is answered by %s", row, r)
		}
		if r != 0 && (r.Direction() == row.Direction() || r.Reply() != 0 && r != ShadowGet && r != OTAUpgrade) {
			t.Errorf("%s is answered by %s, which goes the same way or is itself answered", row, r)
		}
		if base, ok := strings.CutSuffix(row.String(), "_reply"); ok {
			if (row-1).String() != base || (row-1).Reply() != row {
				t.Errorf("%s does not stand behind what it answers", row)
			}
			if row.GatewayOnly() != (row-1).GatewayOnly() || row.Implemented() != (row-1).Implemented() || row.Method("x") != (row-1).Method("x") {
				t.Errorf("%s differs from what it answers", row)
			}
		}
	}
}

func TestDirections(t *testing.T) {
	for _, tt := range []struct {
		t    Template
		want Direction
	}{
		{PropertyPost, Up},
		{PropertyPostReply, Down},
		{EventPost, Up},
		{PropertySet, Down},
		{PropertySetReply, Up},
		{ServiceInvoke, Down},
		{ServiceReply, Up},
		{RawUp, Up},
		{RawDown, Down},
		{RRPCRequest, Down},
		{RRPCResponse, Up},
		{NTPRequest, Up},
		{NTPResponse, Down},
		{OTAInform, Up},
		{OTAUpgrade, Down},
		{Error, Down},
		{CombineLogin, Up},
		{User, Both},
		{ExtRRPC, Both},
		{0, 0},
		{templateEnd, 0},
		{255, 0},
	} {
		if got := tt.t.Direction(); got != tt.want {
			t.Errorf("%s goes %d, want %d", tt.t, got, tt.want)
		}
	}
}

func TestMethod(t *testing.T) {
	for _, tt := range []struct {
		t         Template
		arg, want string
	}{
		{PropertyPost, "", "thing.event.property.post"},
		{PropertyPostReply, "", "thing.event.property.post"},
		{EventPost, "lowBattery", "thing.event.lowBattery.post"},
		{EventPostReply, "lowBattery", "thing.event.lowBattery.post"},
		{PropertySet, "", "thing.service.property.set"},
		{ServiceInvoke, "wakeup", "thing.service.wakeup"},
		{ServiceReply, "wakeup", "thing.service.wakeup"},
		{TopoAddNotify, "", "thing.topo.add.notify"},
		{User, "a", ""},
		{NTPRequest, "", ""},
		{0, "", ""},
		{255, "", ""},
	} {
		if got := tt.t.Method(tt.arg); got != tt.want {
			t.Errorf("method of %s with %q = %q, want %q", tt.t, tt.arg, got, tt.want)
		}
	}
}

func TestNoRow(t *testing.T) {
	for _, row := range []Template{0, templateEnd, 255} {
		if row.String() != "no topic" || row.Topic(somePK, someDN, "x") != "" || row.Reply() != 0 || row.Implemented() || row.GatewayOnly() {
			t.Errorf("row %d is something", row)
		}
	}
}

func TestMatch(t *testing.T) {
	for _, tt := range []struct {
		topic string
		want  Template
		arg   string
	}{
		{"/sys/a1X2bEnP82z/78da07c11ca8/thing/event/property/post", PropertyPost, ""},
		{"/sys/a1X2bEnP82z/78da07c11ca8/thing/event/lowBattery/post", EventPost, "lowBattery"},
		{"/sys/a1X2bEnP82z/78da07c11ca8/thing/event/module:lowBattery/post", EventPost, "module:lowBattery"},
		{"/sys/a1X2bEnP82z/78da07c11ca8/thing/event/lowBattery/post_reply", EventPostReply, "lowBattery"},
		{"/sys/a1X2bEnP82z/78da07c11ca8/thing/event/property/history/post", HistoryPost, ""},
		{"/sys/a1X2bEnP82z/78da07c11ca8/thing/service/wakeup", ServiceInvoke, "wakeup"},
		{"/sys/a1X2bEnP82z/78da07c11ca8/thing/service/wakeup_reply", ServiceReply, "wakeup"},
		{"/sys/a1X2bEnP82z/78da07c11ca8/thing/service/property/set_reply", PropertySetReply, ""},
		{"/sys/a1X2bEnP82z/78da07c11ca8/rrpc/response/1234567890", RRPCResponse, "1234567890"},
		{"/ext/ntp/a1X2bEnP82z/78da07c11ca8/request", NTPRequest, ""},
		{"/ext/error/a1X2bEnP82z/78da07c11ca8", Error, ""},
		{"/ext/session/a1X2bEnP82z/78da07c11ca8/combine/login", CombineLogin, ""},
		{"/ext/rrpc/17/a1X2bEnP82z/78da07c11ca8/user/get", ExtRRPC, "17/a1X2bEnP82z/78da07c11ca8/user/get"},
		{"/ext/register", Registered, ""},
		{"/ota/device/inform/a1X2bEnP82z/78da07c11ca8", OTAInform, ""},
		{"/shadow/update/a1X2bEnP82z/78da07c11ca8", ShadowUpdate, ""},
		{"/a1X2bEnP82z/78da07c11ca8/user/update", User, "update"},
		{"/a1X2bEnP82z/78da07c11ca8/user/update/error", User, "update/error"},
		// of another device or product
		{"/sys/a1X2bEnP82z/78da07c11ca9/thing/event/property/post", 0, ""},
		{"/sys/a1X2bEnP82y/78da07c11ca8/thing/event/property/post", 0, ""},
		{"/sys/78da07c11ca8/a1X2bEnP82z/thing/event/property/post", 0, ""},
		{"/sys/a1X2bEnP82z/78da07c11ca88/thing/event/property/post", 0, ""},
		{"/sys/a1X2bEnP82z/x/78da07c11ca8/thing/event/property/post", 0, ""},
		{"/sys/a1X2bEnP82zx78da07c11ca8/thing/event/property/post", 0, ""},
		{"/sys/a1X2bEnP82z/78da07c11ca8xthing/event/property/post", 0, ""},
		{"/ext/rrpc/17/a1X2bEnP82z/78da07c11ca9/user/get", 0, ""},
		{"/ota/device/inform/a1X2bEnP82z/78da07c11ca9", 0, ""},
		{"/a1X2bEnP82z/78da07c11ca9/user/update", 0, ""},
		// of nobody
		{"", 0, ""},
		{"/", 0, ""},
		{"/sys/", 0, ""},
		{"/sys/a1X2bEnP82z/78da07c11ca8", 0, ""},
		{"/sys/a1X2bEnP82z/78da07c11ca8/", 0, ""},
		{"/sys/a1X2bEnP82z/78da07c11ca8/thing/event/property/Post", 0, ""},
		{"/sys/a1X2bEnP82z/78da07c11ca8/thing/event//post", 0, ""},
		{"/sys/a1X2bEnP82z/78da07c11ca8/thing/event/a/b/post", 0, ""},
		{"/sys/a1X2bEnP82z/78da07c11ca8/thing/event/+/post", 0, ""},
		{"/sys/a1X2bEnP82z/78da07c11ca8/thing/event/" + strings.Repeat("x", 129) + "/post", 0, ""},
		{"/sys/a1X2bEnP82z/78da07c11ca8/thing/service/", 0, ""},
		{"/sys/a1X2bEnP82z/78da07c11ca8/thing/service/a/b", 0, ""},
		{"/sys/a1X2bEnP82z/78da07c11ca8/rrpc/response/", 0, ""},
		{"/ota/device/inform/a1X2bEnP82z/78da07c11ca8/", 0, ""},
		{"/ext/rrpc//a1X2bEnP82z/78da07c11ca8/user/get", 0, ""},
		{"/ext/rrpc/17/a1X2bEnP82z/78da07c11ca8/user/", 0, ""},
		{"/ext/rrpc/+/a1X2bEnP82z/78da07c11ca8/user/get", 0, ""},
		{"/a1X2bEnP82z/78da07c11ca8/user/", 0, ""},
		{"/a1X2bEnP82z/78da07c11ca8/user/#", 0, ""},
		{"/a1X2bEnP82z/78da07c11ca8/other", 0, ""},
		{"sys/a1X2bEnP82z/78da07c11ca8/thing/event/property/post", 0, ""},
		{"/a1X2bEnP82z/78da07c11ca8/user/" + strings.Repeat("x", MaxTopic), 0, ""},
	} {
		got, arg, ok := Match([]byte(tt.topic), somePK, someDN)
		if got != tt.want || string(arg) != tt.arg || ok != (tt.want != 0) {
			t.Errorf("Match(%s) = %s, %q, %v, want %s, %q", tt.topic, got, arg, ok, tt.want, tt.arg)
		}
	}
	if _, _, ok := Match([]byte("/sys///thing/event/property/post"), "", ""); ok {
		t.Error("a device without names has topics")
	}
}

// A device may be named like a word of the topics.
func TestMatchOfOddNames(t *testing.T) {
	for _, names := range [][2]string{{"sys", "thing"}, {"ext", "rrpc"}, {"x", "sys"}, {"ota", "device"}} {
		for _, row := range Templates() {
			arg := strings.ReplaceAll(argOf(row), somePK+"/"+someDN, names[0]+"/"+names[1])
			topic := row.Topic(names[0], names[1], arg)
			if got, a, ok := Match([]byte(topic), names[0], names[1]); got != row || string(a) != arg || !ok {
				t.Errorf("Match(%s) of %v = %s, %q, %v, want %s", topic, names, got, a, ok, row)
			}
		}
	}
}

func FuzzMatch(f *testing.F) {
	for _, row := range Templates() {
		f.Add(row.Topic(somePK, someDN, argOf(row)), somePK, someDN)
		f.Add(row.Topic(somePK, "other", argOf(row)), somePK, someDN)
	}
	f.Add("/sys/a/b/thing/service/_reply", "a", "b")
	f.Add("/ext/rrpc/1//a/b/user/x", "a", "b")
	f.Fuzz(func(t *testing.T, topic, productKey, deviceName string) { // law: a topic is its row and argument, and lies in the device's branch
		row, arg, ok := Match([]byte(topic), productKey, deviceName)
		if ok != (row != 0) {
			t.Errorf("Match(%q) = %s, %v", topic, row, ok)
		}
		if !ok {
			return
		}
		if got := row.Topic(productKey, deviceName, string(arg)); got != topic {
			t.Errorf("Match(%q) = %s, %q, whose topic is %q", topic, row, arg, got)
		}
		if row != Registered && !strings.Contains(topic, "/"+productKey+"/"+deviceName) {
			t.Errorf("%q is not a topic of %s/%s", topic, productKey, deviceName)
		}
	})
}

// mqttMatch is MQTT's own rule (3.1.1 §4.7), level by level.
func mqttMatch(filter, topic string) bool {
	f, t := strings.Split(filter, "/"), strings.Split(topic, "/")
	for i, level := range f {
		if level == "#" {
			return true
		}
		if i >= len(t) || level != "+" && level != t[i] {
			return false
		}
	}
	return len(f) == len(t)
}

func TestResolve(t *testing.T) {
	sys := "/sys/a1X2bEnP82z/78da07c11ca8/"
	for _, tt := range []struct {
		filter string
		ok     bool
		whole  Filters
		part   Filters
		arg    string
	}{
		{sys + "thing/event/property/post_reply", true, FiltersOf(PropertyPostReply), Filters{}, ""},
		{sys + "thing/event/+/post_reply", true, FiltersOf(PropertyPostReply, EventPostReply), Filters{}, ""},
		{sys + "thing/event/lowBattery/post_reply", true, Filters{}, FiltersOf(EventPostReply), "lowBattery"},
		{sys + "thing/event/#", true, FiltersOf(PropertyPostReply, EventPostReply, HistoryPostReply, PackPostReply, BatchPostReply), Filters{}, ""},
		{sys + "thing/service/property/set", true, FiltersOf(PropertySet), Filters{}, ""},
		{sys + "thing/service/property/+", true, FiltersOf(PropertySet, PropertyGet), Filters{}, ""},
		{sys + "thing/service/wakeup", true, Filters{}, FiltersOf(ServiceInvoke), "wakeup"},
		{sys + "thing/service/+", true, FiltersOf(ServiceInvoke), Filters{}, ""},
		{sys + "thing/service/#", true, FiltersOf(ServiceInvoke, PropertySet, PropertyGet), Filters{}, ""},
		{sys + "rrpc/request/+", true, FiltersOf(RRPCRequest), Filters{}, ""},
		{sys + "rrpc/request/17", true, Filters{}, FiltersOf(RRPCRequest), "17"},
		{sys + "+/+/x", true, Filters{}, FiltersOf(RRPCRequest, ServiceInvoke), "x"},
		{sys + "+/+/push", true, FiltersOf(ConfigPush), FiltersOf(RRPCRequest, ServiceInvoke), "push"},
		{sys + "thing/config/push_reply", true, Filters{}, Filters{}, ""}, // the device's own; harmless
		{sys + "thing/event/property/post", true, Filters{}, Filters{}, ""},
		{"/ota/device/upgrade/a1X2bEnP82z/78da07c11ca8", true, FiltersOf(OTAUpgrade), Filters{}, ""},
		{"/ota/device/upgrade/a1X2bEnP82z/78da07c11ca8/#", true, FiltersOf(OTAUpgrade), Filters{}, ""},
		{"/ext/session/a1X2bEnP82z/78da07c11ca8/combine/+", true, FiltersOf(CombineLoginReply, CombineLogoutReply, BatchLoginReply, BatchLogoutReply), Filters{}, ""},
		{"/ext/register", true, FiltersOf(Registered), Filters{}, ""},
		{"/shadow/get/a1X2bEnP82z/78da07c11ca8", true, FiltersOf(ShadowGet), Filters{}, ""},
		{"/a1X2bEnP82z/78da07c11ca8/user/#", true, FiltersOf(User), Filters{}, ""},
		{"/a1X2bEnP82z/78da07c11ca8/#", true, FiltersOf(User), Filters{}, ""},
		{"/a1X2bEnP82z/78da07c11ca8/user/get", true, Filters{}, FiltersOf(User), "get"},
		{"/a1X2bEnP82z/78da07c11ca8/user/+/a/#", true, Filters{}, FiltersOf(User), "+/a/#"},
		{"/ext/rrpc/+/a1X2bEnP82z/78da07c11ca8/user/#", true, FiltersOf(ExtRRPC), Filters{}, ""},
		{"/ext/rrpc/+/a1X2bEnP82z/78da07c11ca8/user/get", true, Filters{}, FiltersOf(ExtRRPC), "+/a1X2bEnP82z/78da07c11ca8/user/get"},
		{"/ext/rrpc/17/a1X2bEnP82z/78da07c11ca8/user/get", true, Filters{}, FiltersOf(ExtRRPC), "17/a1X2bEnP82z/78da07c11ca8/user/get"},
		{"/ext/rrpc/17/a1X2bEnP82z/78da07c11ca8/user/#", true, Filters{}, FiltersOf(ExtRRPC), "17/a1X2bEnP82z/78da07c11ca8/user/#"},
		// foreign, too wide, malformed or of nobody
		{"#", false, Filters{}, Filters{}, ""},
		{"/#", false, Filters{}, Filters{}, ""},
		{"/sys/#", false, Filters{}, Filters{}, ""},
		{"/sys/a1X2bEnP82z/#", false, Filters{}, Filters{}, ""},
		{"/sys/a1X2bEnP82z/+/thing/service/property/set", false, Filters{}, Filters{}, ""},
		{"/sys/+/78da07c11ca8/thing/service/property/set", false, Filters{}, Filters{}, ""},
		{"/+/a1X2bEnP82z/78da07c11ca8/thing/service/property/set", false, Filters{}, Filters{}, ""},
		{"/sys/a1X2bEnP82z/78da07c11ca9/thing/service/property/set", false, Filters{}, Filters{}, ""},
		{"/sys/a1X2bEnP82z/78da07c11ca9/#", false, Filters{}, Filters{}, ""},
		{"/sys/a1X2bEnP82zx78da07c11ca8/thing/+/+", false, Filters{}, Filters{}, ""},
		{"/sys/a1X2bEnP82z/78da07c11ca8xthing/service/+", false, Filters{}, Filters{}, ""},
		{"/ext/rrpc/+/a1X2bEnP82z/78da07c11ca9/user/#", false, Filters{}, Filters{}, ""},
		{"/ext/rrpc/#", false, Filters{}, Filters{}, ""},
		{"/ext/rrpc/+/#", false, Filters{}, Filters{}, ""},
		{"/ext/#", false, Filters{}, Filters{}, ""},
		{sys + "thing/service/property/set/", false, Filters{}, Filters{}, ""},
		{sys + "thing/service/a+", false, Filters{}, Filters{}, ""},
		{sys + "thing/#/set", false, Filters{}, Filters{}, ""},
		{sys + "thing#", false, Filters{}, Filters{}, ""},
		{sys + "nothing", false, Filters{}, Filters{}, ""},
		{"", false, Filters{}, Filters{}, ""},
		{"/a1X2bEnP82z/78da07c11ca8/user/" + strings.Repeat("x", MaxTopic), false, Filters{}, Filters{}, ""},
	} {
		got, ok := Resolve([]byte(tt.filter), somePK, someDN)
		if ok != tt.ok || got.Whole != tt.whole || got.Part != tt.part || string(got.Arg) != tt.arg {
			t.Errorf("Resolve(%s) = %+v %q, %v\nwant %v %v %q, %v", tt.filter, got, got.Arg, ok, tt.whole, tt.part, tt.arg, tt.ok)
		}
	}
	all, ok := Resolve([]byte(sys+"#"), somePK, someDN)
	for _, row := range Templates() {
		if want := ok && row.Direction() == Down && strings.HasPrefix(row.String(), "/sys/"); all.Whole.Has(row) != want {
			t.Errorf("%s under %s# is %v, want %v", row, sys, all.Whole.Has(row), want)
		}
	}
}

func TestWants(t *testing.T) {
	for _, tt := range []struct {
		filter, arg string
		want        bool
	}{
		{"get", "get", true},
		{"get", "ge", false},
		{"get", "gets", false},
		{"get", "", false},
		{"a/#", "a", true},
		{"a/#", "a/", true},
		{"a/#", "a/b/c", true},
		{"a/#", "ab", false},
		{"a/#", "b", false},
		{"+", "a", true},
		{"+", "a/b", false},
		{"+/b", "a/b", true},
		{"+/b", "/b", true},
		{"+/b", "b", false},
		{"a/+", "a/", true},
		{"a/+", "a", false},
		{"a/+/c/#", "a/b/c", true},
		{"a/+/c/#", "a/b/c/d", true},
		{"a/+/c/#", "a/b", false},
	} {
		s, ok := Resolve([]byte("/"+somePK+"/"+someDN+"/user/"+tt.filter), somePK, someDN)
		if got := s.Wants(User, tt.arg); got != tt.want || !ok {
			t.Errorf("filter %s wants %s: %v, %v, want %v", tt.filter, tt.arg, got, ok, tt.want)
		}
		if s.Wants(ExtRRPC, tt.arg) {
			t.Errorf("filter %s wants another row", tt.filter)
		}
	}
}

// What Resolve and Wants say together is what MQTT says of filter and topic.
func TestResolveAgreesWithMQTT(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows := Templates()
		args := []string{"wakeup", "x", "push", "get", "17"}
		user := []string{"a", "a/b", "a/b/c", "x"}
		topicOf := func(row Template, name string) string {
			switch row {
			case User:
				return row.Topic(somePK, someDN, rapid.SampledFrom(user).Draw(t, name))
			case ExtRRPC:
				arg := rapid.SampledFrom(args).Draw(t, name) + "/" + somePK + "/" + someDN + "/user/" + rapid.SampledFrom(user).Draw(t, name)
				return row.Topic(somePK, someDN, arg)
			}
			return row.Topic(somePK, someDN, rapid.SampledFrom(args).Draw(t, name))
		}
		levels := strings.Split(topicOf(rapid.SampledFrom(rows).Draw(t, "filter of"), "arg"), "/")
		for i := range levels {
			switch rapid.IntRange(0, 9).Draw(t, "level") {
			case 0, 1, 2:
				if i > 0 {
					levels[i] = "+"
				}
			case 3:
				if i > 3 {
					levels = append(levels[:i:i], "#")
				}
			}
			if levels[len(levels)-1] == "#" {
				break
			}
		}
		filter := strings.Join(levels, "/")
		s, ok := Resolve([]byte(filter), somePK, someDN)
		if !ok {
			if own := strings.Index(filter, "/"+somePK+"/"+someDN+"/"); own >= 0 && !strings.Contains(filter[:own], "+") {
				t.Fatalf("Resolve(%s) is refused", filter)
			}
			return
		}
		for _, row := range rows {
			topic := topicOf(row, "topic arg")
			got, arg, matched := Match([]byte(topic), somePK, someDN)
			if !matched || got.Direction()&Down == 0 {
				continue
			}
			if want := mqttMatch(filter, topic); s.Wants(got, string(arg)) != want {
				t.Fatalf("filter %s wants topic %s: %v, want %v (%+v)", filter, topic, !want, want, s)
			}
		}
	})
}

func FuzzResolve(f *testing.F) {
	for _, s := range []string{"/sys/a/b/#", "/sys/a/b/thing/+/x", "/a/b/user/+/#", "/ext/rrpc/+/a/b/user/x", "/ext/register", "#", "+/+", "/sys/a/b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, filter string) { // law: what is wanted lies in the branch and fits the filter
		s, ok := Resolve([]byte(filter), "a", "b")
		if !ok && (s.Whole != Filters{} || s.Part != Filters{}) {
			t.Errorf("Resolve(%q) is refused and means %+v", filter, s)
		}
		if !ok {
			return
		}
		for _, row := range Templates() {
			arg := strings.ReplaceAll(argOf(row), somePK+"/"+someDN, "a/b")
			if topic := row.Topic("a", "b", arg); s.Wants(row, arg) && !mqttMatch(filter, topic) {
				t.Errorf("filter %q wants %q", filter, topic)
			}
			if s.Wants(row, arg) && row.Direction()&Down == 0 {
				t.Errorf("filter %q brings %s", filter, row)
			}
		}
	})
}

func TestFilters(t *testing.T) {
	f := FiltersOf(PropertySet, ExtRRPC, 0, templateEnd, 255)
	if f.Len() != 2 || !f.Has(PropertySet) || !f.Has(ExtRRPC) || f.Has(PropertyPost) || f.Has(0) || f.Has(255) || f.Empty() {
		t.Errorf("set is %v", f)
	}
	g := f.Union(FiltersOf(User)).Without(FiltersOf(ExtRRPC))
	if g != FiltersOf(PropertySet, User) || !g.Without(g).Empty() {
		t.Errorf("union and difference are %v", g)
	}
	for _, row := range Templates() {
		if AllDown().Has(row) != (row.Direction()&Down != 0) {
			t.Errorf("%s in AllDown: %v", row, AllDown().Has(row))
		}
	}
}

func TestMatchAllocatesNothing(t *testing.T) {
	topics := [][]byte{}
	for _, row := range Templates() {
		topics = append(topics, []byte(row.Topic(somePK, someDN, argOf(row))))
	}
	topics = append(topics, []byte("/sys/somebody/else/thing/event/property/post"))
	filter := []byte("/sys/a1X2bEnP82z/78da07c11ca8/thing/event/+/post_reply")
	buf := make([]byte, 0, MaxTopic)
	if n := testing.AllocsPerRun(100, func() {
		for _, topic := range topics {
			Match(topic, somePK, someDN)
		}
		Resolve(filter, somePK, someDN)
		buf = EventPostReply.AppendTopic(buf[:0], somePK, someDN, "lowBattery")
	}); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}

func BenchmarkMatch(b *testing.B) {
	for _, row := range []Template{PropertyPost, EventPost, ServiceReply, User, ExtRRPC} {
		topic := []byte(row.Topic(somePK, someDN, argOf(row)))
		b.Run(strings.ReplaceAll(row.String(), "/", "."), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, _, ok := Match(topic, somePK, someDN); !ok {
					b.Fatal("no match")
				}
			}
		})
	}
}

func BenchmarkResolve(b *testing.B) {
	filter := []byte("/sys/a1X2bEnP82z/78da07c11ca8/thing/event/+/post_reply")
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := Resolve(filter, somePK, someDN); !ok {
			b.Fatal("refused")
		}
	}
}
