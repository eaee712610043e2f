package alink

import (
	"strings"
	"testing"
)

// What the official SDK for JavaScript does, read in alibabacloud-iot-device-sdk 1.2.8 (npm, MIT licence), so that all of it is understood here:
//   - it connects with clean session off, keep alive 60 s, MQTT 3.1.1; the option brokerUrl ("mqtt://127.0.0.1:1883") leads it to any server
//   - it signs by HMAC-SHA1 in lower-case hex, also when the option signAlgorithm makes it announce another method
//   - it sends 16 SUBSCRIBE packets at connect, each with one filter at QoS 1, and publishes at QoS 0
//   - a property post and an event carry the reply topic in their id, and only a reply on that topic, with that id as a string, is handed on
//   - a property set is handed to the application and not answered by the SDK: the application publishes set_reply, or only posts the property
//   - of the services an application serves, only the first is subscribed to by name, at QoS 0; the reply's id is a counter of its own unless the application copies
//     the request's; the service is found by the last word of method, so a request needs one
//   - a synchronous service comes on rrpc/request/{id}, and its answer goes to rrpc/response/{id}

func TestJavaScriptConnects(t *testing.T) {
	const (
		secret   = "1565d0497400c999e984cffa4da4fdf9"
		password = "5b3567dabfb315d1699f17d84a8a4b1c62dce941" // Python's hmac over the text that Sign documents
	)
	for _, extra := range []string{"lan=NodeJS,_v=1.2.8|", "lan=JS|Broswer ,_v=1.2.8|", "lan=JS|WX,_v=1.2.8|"} { // in a browser a bar stands inside a field
		c, err := ParseClientID("a1X2bEnP82z&78da07c11ca8|securemode=3,signmethod=hmacsha1,timestamp=1764000000000," + extra)
		if err != nil {
			t.Fatal(err)
		}
		if c.Bare != "a1X2bEnP82z&78da07c11ca8" || c.SDK != "1.2.8" || c.SecureMode != "3" {
			t.Errorf("client id with %s is %+v", extra, c)
		}
		dn, pk, err := ParseUserName("78da07c11ca8&a1X2bEnP82z")
		if err != nil {
			t.Fatal(err)
		}
		if !Verify([]byte(password), c.SignMethod, secret, c, dn, pk) {
			t.Errorf("client id with %s: the password is refused", extra)
		}
	}
}

func TestJavaScriptSubscribes(t *testing.T) {
	for filter, want := range map[string]Filters{
		"/sys/{pk}/{dn}/thing/event/property/post_reply": FiltersOf(PropertyPostReply),
		"/sys/{pk}/{dn}/thing/service/property/set":      FiltersOf(PropertySet),
		"/sys/{pk}/{dn}/thing/event/+/post_reply":        FiltersOf(PropertyPostReply, EventPostReply),
		"/sys/{pk}/{dn}/thing/deviceinfo/update_reply":   FiltersOf(TagUpdateReply),
		"/sys/{pk}/{dn}/thing/deviceinfo/delete_reply":   FiltersOf(TagDeleteReply),
		"/sys/{pk}/{dn}/thing/config/get_reply":          FiltersOf(ConfigGetReply),
		"/shadow/get/{pk}/{dn}":                          FiltersOf(ShadowGet),
		"/sys/{pk}/{dn}/thing/config/push":               FiltersOf(ConfigPush),
		"/sys/{pk}/{dn}/thing/config/push_reply":         {}, // its own topic
		"/sys/{pk}/{dn}/thing/topo/add_reply":            FiltersOf(TopoAddReply),
		"/sys/{pk}/{dn}/thing/topo/delete_reply":         FiltersOf(TopoDeleteReply),
		"/sys/{pk}/{dn}/thing/topo/get_reply":            FiltersOf(TopoGetReply),
		"/ext/session/{pk}/{dn}/combine/login_reply":     FiltersOf(CombineLoginReply),
		"/ext/session/{pk}/{dn}/combine/logout_reply":    FiltersOf(CombineLogoutReply),
		"/sys/{pk}/{dn}/thing/sub/register_reply":        FiltersOf(SubRegisterReply),
		"/sys/{pk}/{dn}/rrpc/request/+":                  FiltersOf(RRPCRequest),
	} {
		s, ok := Resolve([]byte(of(filter)), somePK, someDN)
		if !ok || s.Whole != want || !s.Part.Empty() {
			t.Errorf("filter %s is %+v, %v", filter, s, ok)
		}
	}
	s, ok := Resolve([]byte(of("/sys/{pk}/{dn}/thing/service/wakeup_sync")), somePK, someDN) // when a service is served
	if !ok || !s.Wants(ServiceInvoke, "wakeup_sync") || s.Wants(ServiceInvoke, "wakeup_async") {
		t.Errorf("the filter of one service is %+v, %v", s, ok)
	}
}

func of(topic string) string {
	return strings.NewReplacer("{pk}", somePK, "{dn}", someDN).Replace(topic)
}

func TestJavaScriptPublishes(t *testing.T) {
	for _, tt := range []struct {
		topic, payload string
		want           Template
		arg            string
		id, method     string
		params         string
	}{
		{
			"/sys/{pk}/{dn}/thing/event/property/post",
			`{"id":"1|exp-topic|/sys/{pk}/{dn}/thing/event/property/post_reply","version":"1.0","params":{"LightSwitch":0},"method":"thing.event.property.post"}`,
			PropertyPost, "", "1|exp-topic|/sys/{pk}/{dn}/thing/event/property/post_reply", "thing.event.property.post", `{"LightSwitch":0}`,
		},
		{
			"/sys/{pk}/{dn}/thing/event/hardware_error/post",
			`{"id":"2|exp-topic|/sys/{pk}/{dn}/thing/event/hardware_error/post_reply","version":"1.0","params":{"ErrorCode":0},"method":"thing.event.hardware_error.post"}`,
			EventPost, "hardware_error", "2|exp-topic|/sys/{pk}/{dn}/thing/event/hardware_error/post_reply", "thing.event.hardware_error.post", `{"ErrorCode":0}`,
		},
		{
			"/sys/{pk}/{dn}/thing/deviceinfo/update",
			`{"id":"3","version":"1.0","params":[{"attrKey":"a","attrValue":"b"}],"method":"thing.deviceinfo.update"}`,
			TagUpdate, "", "3", "thing.deviceinfo.update", `[{"attrKey":"a","attrValue":"b"}]`,
		},
		{
			"/sys/{pk}/{dn}/thing/config/get",
			`{"id":"4","version":"1.0","params":{"configScope":"product","getType":"file"},"method":"thing.config.get"}`,
			ConfigGet, "", "4", "thing.config.get", `{"configScope":"product","getType":"file"}`,
		},
		{"/shadow/update/{pk}/{dn}", `{"method":"get"}`, ShadowUpdate, "", "", "get", ""},
		{"/ext/session/{pk}/{dn}/combine/login", `{"id":"5","version":"1.0","params":{"productKey":"a"},"method":""}`, CombineLogin, "", "5", "", `{"productKey":"a"}`},
	} {
		row, arg, ok := Match([]byte(of(tt.topic)), somePK, someDN)
		if row != tt.want || string(arg) != tt.arg || !ok || row.Direction() != Up {
			t.Errorf("topic %s is %s, %q, %v", tt.topic, row, arg, ok)
		}
		r, err := ParseRequest([]byte(of(tt.payload)))
		if err != nil || string(r.ID) != of(tt.id) || string(r.Method) != tt.method || string(r.Params) != tt.params || !r.Ack {
			t.Errorf("payload %s is %q %q %q, %v", tt.payload, r.ID, r.Method, r.Params, err)
		}
		if tt.method != "" && strings.HasPrefix(tt.method, "thing.") && row.Method(tt.arg) != tt.method {
			t.Errorf("method of %s is %s, the SDK says %s", row, row.Method(tt.arg), tt.method)
		}
	}
}

func TestJavaScriptReplies(t *testing.T) {
	for _, tt := range []struct {
		topic, payload string
		want           Template
		arg, id        string
	}{
		{"/sys/{pk}/{dn}/thing/service/wakeup_async_reply", `{"code":200,"data":{"out":1},"id":"9"}`, ServiceReply, "wakeup_async", "9"},
		{"/sys/{pk}/{dn}/rrpc/response/1234567890", `{"code":200,"data":{"out":1},"id":"10"}`, RRPCResponse, "1234567890", "10"},
		{"/sys/{pk}/{dn}/thing/service/property/set_reply", `{"code":200,"data":{},"id":"01939f2e-5c11-7abc-9def-0123456789ab"}`, PropertySetReply, "", "01939f2e-5c11-7abc-9def-0123456789ab"},
	} {
		row, arg, ok := Match([]byte(of(tt.topic)), somePK, someDN)
		if row != tt.want || string(arg) != tt.arg || !ok {
			t.Errorf("topic %s is %s, %q, %v", tt.topic, row, arg, ok)
		}
		if r, err := ParseReply([]byte(tt.payload)); err != nil || string(r.ID) != tt.id || r.Code != CodeOK {
			t.Errorf("payload %s is %+v, %v", tt.payload, r, err)
		}
	}
}

// The longest id the SDK can make fits: the longest names and identifier that are allowed, behind a counter of twelve digits.
func TestJavaScriptIDFits(t *testing.T) {
	name, identifier := strings.Repeat("n", 32), strings.Repeat("i", 50) // the most the Living platform allows for DeviceName and identifier
	id := "123456789012|exp-topic|" + EventPostReply.Topic(somePK, name, identifier)
	if _, err := ParseRequest([]byte(`{"id":"` + id + `"}`)); err != nil {
		t.Errorf("id of %d bytes: %v", len(id), err)
	}
}
