package alink

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// vector is a row of testdata/vectors.json; each says how it was made.
type vector struct {
	ProductKey    string `json:"product_key"`
	DeviceName    string `json:"device_name"`
	DeviceSecret  string `json:"device_secret"`
	ClientID      string `json:"client_id"`
	UserName      string `json:"username"`
	Password      string `json:"password"`
	ProductSecret string `json:"product_secret"`
	Random        string `json:"random"`
	Sign          string `json:"sign"`
}

func vectors(t testing.TB, group string) []vector {
	t.Helper()
	b, err := os.ReadFile("testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var all map[string][]vector
	if err := json.Unmarshal(b, &all); err != nil {
		t.Fatal(err)
	}
	if len(all[group]) == 0 {
		t.Fatalf("no vectors %s", group)
	}
	return all[group]
}

func TestSignVectors(t *testing.T) {
	for _, v := range vectors(t, "wifi_mqtt") {
		c, err := ParseClientID(v.ClientID)
		if err != nil {
			t.Fatal(err)
		}
		dn, pk, err := ParseUserName(v.UserName)
		if err != nil || dn != v.DeviceName || pk != v.ProductKey {
			t.Errorf("ParseUserName(%s) = %s, %s, %v", v.UserName, dn, pk, err)
		}
		if got, err := Sign(c.SignMethod, v.DeviceSecret, c, dn, pk); got != v.Password || err != nil {
			t.Errorf("Sign = %s, %v, want %s", got, err, v.Password)
		}
		for _, password := range []string{v.Password, strings.ToLower(v.Password)} {
			if !Verify([]byte(password), c.SignMethod, v.DeviceSecret, c, dn, pk) {
				t.Errorf("password %s is refused", password)
			}
		}
	}
	for _, v := range vectors(t, "wifi_dynreg") {
		if got, err := SignRegister("hmacsha256", v.ProductSecret, v.DeviceName, v.ProductKey, v.Random); got != v.Sign || err != nil {
			t.Errorf("SignRegister = %s, %v, want %s", got, err, v.Sign)
		}
		if !VerifyRegister([]byte(strings.ToLower(v.Sign)), "hmacsha256", v.ProductSecret, v.DeviceName, v.ProductKey, v.Random) ||
			VerifyRegister([]byte(v.Sign), "hmacsha256", v.ProductSecret, v.DeviceName, v.ProductKey, v.Random+"0") {
			t.Error("VerifyRegister is wrong")
		}
	}
}

// The values were computed with Python's hmac; with a timestamp and without, by each method.
func TestSignMethods(t *testing.T) {
	const fields = "|securemode=3,signmethod=%,timestamp=1700000000000|"
	for _, tt := range []struct{ method, client, want string }{
		{"hmacsha256", "a1X2bEnP82z&78da07c11ca8" + fields, "B0C0CB32FE6105DA83DC8B079A8CCF2225B9660693778AC8D36CF22A144AFA51"},
		{"hmacsha1", "a1X2bEnP82z&78da07c11ca8" + fields, "D4AB2F1474A517E6A4FE36DB7CBF729C224373AE"},
		{"hmacmd5", "a1X2bEnP82z&78da07c11ca8" + fields, "4E093200A3A8F02D244B4DD07F3E738D"},
		{"hmacsha1", "any-form|securemode=3,signmethod=%|", "936CC716A7A9BF4169BC422F7DC4E8F38B5017F1"},
	} {
		c, err := ParseClientID(strings.ReplaceAll(tt.client, "%", tt.method))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := Sign(c.SignMethod, "1565d0497400c999e984cffa4da4fdf9", c, someDN, somePK); got != tt.want || err != nil {
			t.Errorf("Sign by %s of %s = %s, %v, want %s", tt.method, tt.client, got, err, tt.want)
		}
	}
	if _, err := Sign("sha256", "", ClientID{}, "", ""); text(err) != `sign method is "sha256", want hmacsha256, hmacsha1 or hmacmd5` {
		t.Errorf("unknown method: %v", err)
	}
}

func TestVerifyRefuses(t *testing.T) {
	v := vectors(t, "wifi_mqtt")[1]
	c, err := ParseClientID(v.ClientID)
	if err != nil {
		t.Fatal(err)
	}
	other, later := c, c
	other.Bare += "x"
	later.Timestamp = "2524608000001"
	for name, ok := range map[string]bool{
		"empty":           Verify(nil, c.SignMethod, v.DeviceSecret, c, v.DeviceName, v.ProductKey),
		"one digit short": Verify([]byte(v.Password[1:]), c.SignMethod, v.DeviceSecret, c, v.DeviceName, v.ProductKey),
		"one digit more":  Verify([]byte(v.Password+"0"), c.SignMethod, v.DeviceSecret, c, v.DeviceName, v.ProductKey),
		"one bit changed": Verify([]byte(flip(v.Password)), c.SignMethod, v.DeviceSecret, c, v.DeviceName, v.ProductKey),
		"another secret":  Verify([]byte(v.Password), c.SignMethod, v.DeviceSecret+"0", c, v.DeviceName, v.ProductKey),
		"another method":  Verify([]byte(v.Password), "hmacsha1", v.DeviceSecret, c, v.DeviceName, v.ProductKey),
		"unknown method":  Verify([]byte(v.Password), "none", v.DeviceSecret, c, v.DeviceName, v.ProductKey),
		"another client":  Verify([]byte(v.Password), c.SignMethod, v.DeviceSecret, other, v.DeviceName, v.ProductKey),
		"another time":    Verify([]byte(v.Password), c.SignMethod, v.DeviceSecret, later, v.DeviceName, v.ProductKey),
		"another device":  Verify([]byte(v.Password), c.SignMethod, v.DeviceSecret, c, v.DeviceName+"0", v.ProductKey),
		"another product": Verify([]byte(v.Password), c.SignMethod, v.DeviceSecret, c, v.DeviceName, v.ProductKey+"0"),
		"a megabyte":      Verify(make([]byte, 1<<20), c.SignMethod, v.DeviceSecret, c, v.DeviceName, v.ProductKey),
		"no hex":          Verify([]byte(strings.Repeat("g", 64)), c.SignMethod, v.DeviceSecret, c, v.DeviceName, v.ProductKey),
	} {
		if ok {
			t.Errorf("%s is accepted", name)
		}
	}
}

func flip(s string) string {
	b := []byte(s)
	b[len(b)-1] ^= 1
	return string(b)
}

func TestParseClientID(t *testing.T) {
	for _, tt := range []struct {
		in   string
		want ClientID
	}{
		{"pk.dn|timestamp=2524608000000,_v=sdk-c-3.2.0,securemode=2,signmethod=hmacsha256,lan=C,gw=1,ext=0|", ClientID{
			Bare: "pk.dn", Timestamp: "2524608000000", SDK: "sdk-c-3.2.0", SecureMode: "2", SignMethod: "hmacsha256", Language: "C", Gateway: true, Ext: "0",
		}},
		{"pk.dn|authType=register,random=8Ygb7,signmethod=hmacsha256,securemode=2|", ClientID{
			Bare: "pk.dn", AuthType: "register", Random: "8Ygb7", SignMethod: "hmacsha256", SecureMode: "2",
		}},
		{"12:34|_ss=1,unknown=,x=a=b|", ClientID{Bare: "12:34", SignMethod: "hmacmd5", SubscribeAll: true}},
	} {
		tt.want.Raw = tt.in
		if got, err := ParseClientID(tt.in); got != tt.want || err != nil {
			t.Errorf("ParseClientID(%s)\n got %+v, %v\nwant %+v", tt.in, got, err, tt.want)
		}
	}
	const form = ", want {productKey}.{deviceName}|securemode=3,signmethod=hmacsha256,timestamp=1700000000000|"
	for _, tt := range []struct{ in, want string }{
		{"", `client id "" has no fields` + form},
		{"pk.dn", `client id "pk.dn" has no fields` + form},
		{"pk.dn|securemode=3", `client id "pk.dn|securemode=3" does not end with |` + form},
		{"pk.dn|", `client id "pk.dn|" does not end with |` + form},
		{"|securemode=3|", "client id begins with its fields, want something before the first |"},
		{"a||", `field "" of the client id has no name and value, want name=value`},
		{"a|securemode|", `field "securemode" of the client id has no name and value, want name=value`},
		{"a|=3|", `field "=3" of the client id has no name and value, want name=value`},
		{"a|securemode=3,|", `field "" of the client id has no name and value, want name=value`},
		{"a|x=1,xx=2,securemode=3,x=4|", "field x of the client id is given twice"},
		{"a|timestamp=12x|", `field timestamp of the client id is "12x", want milliseconds in at most 20 digits`},
		{"a|timestamp=|", `field timestamp of the client id is "", want milliseconds in at most 20 digits`},
		{"a|timestamp=123456789012345678901|", `field timestamp of the client id is "123456789012345678901", want milliseconds in at most 20 digits`},
		{"a|signmethod=sha256|", `field signmethod of the client id is "sha256", want hmacsha256, hmacsha1 or hmacmd5`},
		{strings.Repeat("a", MaxClientID-4) + "|x=1|", "client id is 513 bytes long, want at most 512"},
	} {
		if _, err := ParseClientID(tt.in); text(err) != tt.want {
			t.Errorf("ParseClientID(%.40q)\n got %q\nwant %q", tt.in, text(err), tt.want)
		}
	}
	if _, err := ParseClientID(strings.Repeat("a", MaxClientID-5) + "|x=1|"); err != nil {
		t.Errorf("at the limit: %v", err)
	}
}

func FuzzParseClientID(f *testing.F) {
	for _, s := range []string{"pk.dn|timestamp=2524608000000,securemode=2,signmethod=hmacsha256|", "pk&dn|lan=JS|Broswer ,_v=1|", "a|b|", "||", "a|x=1,x=2|", "a|=|"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) { // law: what is accepted begins with its bare form, and every known field stands in it once
		c, err := ParseClientID(s)
		if err != nil {
			return
		}
		if c.Raw != s || !strings.HasPrefix(s, c.Bare+"|") || c.Bare == "" || strings.Contains(c.Bare, "|") {
			t.Errorf("ParseClientID(%q) = %+v", s, c)
		}
		fields := "," + s[len(c.Bare)+1:len(s)-1] + ","
		for name, value := range map[string]string{"timestamp": c.Timestamp, "securemode": c.SecureMode, "random": c.Random, "authType": c.AuthType} {
			if n := strings.Count(fields, ","+name+"="); n > 1 || value != "" && !strings.Contains(fields, ","+name+"="+value+",") {
				t.Errorf("ParseClientID(%q): %s is %q", s, name, value)
			}
		}
		if _, err := Sign(c.SignMethod, "secret", c, "dn", "pk"); err != nil {
			t.Errorf("ParseClientID(%q) accepts a method that cannot sign: %v", s, err)
		}
	})
}

func TestParseUserName(t *testing.T) {
	for _, tt := range []struct{ in, dn, pk, want string }{
		{"78da07c11ca8&a1X2bEnP82z", "78da07c11ca8", "a1X2bEnP82z", ""},
		{"A-Za_z0@9.:&a1", "A-Za_z0@9.:", "a1", ""},
		{"", "", "", `user name "" has no &, want {deviceName}&{productKey}`},
		{"device", "", "", `user name "device" has no &, want {deviceName}&{productKey}`},
		{"&pk", "", "", `device name "" in the user name, want 1 to 64 characters of A-Z a-z 0-9 and - _ @ . : only`},
		{"dn&", "", "", `product key "" in the user name, want 1 to 64 characters of A-Z a-z 0-9 only`},
		{"dn&pk&x", "", "", `product key "pk&x" in the user name, want 1 to 64 characters of A-Z a-z 0-9 only`},
		{"d/n&pk", "", "", `device name "d/n" in the user name, want 1 to 64 characters of A-Z a-z 0-9 and - _ @ . : only`},
		{"灯&pk", "", "", `device name "灯" in the user name, want 1 to 64 characters of A-Z a-z 0-9 and - _ @ . : only`},
		{"dn&p+", "", "", `product key "p+" in the user name, want 1 to 64 characters of A-Z a-z 0-9 only`},
		{strings.Repeat("d", 65) + "&pk", "", "", `device name "` + strings.Repeat("d", 64) + `…" in the user name, want 1 to 64 characters of A-Z a-z 0-9 and - _ @ . : only`},
	} {
		dn, pk, err := ParseUserName(tt.in)
		if text(err) != tt.want || err == nil && (dn != tt.dn || pk != tt.pk) {
			t.Errorf("ParseUserName(%q) = %q, %q\n got %q\nwant %q", tt.in, dn, pk, text(err), tt.want)
		}
	}
}

func BenchmarkVerify(b *testing.B) {
	v := vectors(b, "wifi_mqtt")[1]
	c, err := ParseClientID(v.ClientID)
	if err != nil {
		b.Fatal(err)
	}
	password := []byte(v.Password)
	b.ReportAllocs()
	for b.Loop() {
		if !Verify(password, c.SignMethod, v.DeviceSecret, c, v.DeviceName, v.ProductKey) {
			b.Fatal("refused")
		}
	}
}

func BenchmarkParseClientID(b *testing.B) {
	v := vectors(b, "wifi_mqtt")[1]
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseClientID(v.ClientID); err != nil {
			b.Fatal(err)
		}
	}
}
