package triple

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

const someSecret = "1565d0497400c999e984cffa4da4fdf9"

func mustMAC(t testing.TB, s string) MAC {
	t.Helper()
	m, err := ParseMAC(s)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func mustSecret(t testing.TB, s string) Secret {
	t.Helper()
	secret, err := ParseSecret(s)
	if err != nil {
		t.Fatal(err)
	}
	return secret
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// The keys were computed by a Python program from the formula in the comment of ProductKey. They stand in firmware: a change here is a mistake.
func TestProductKeyNeverChanges(t *testing.T) {
	for pid, want := range map[ProductID]string{
		0:          "lw7yjjuzn6n",
		1:          "lwu5ge8f46u",
		2:          "lwfae9kvj72",
		602:        "lw9qtmw8mx6",
		2628:       "lwdyby6czka",
		10857:      "lw7tsmb6yxz",
		1000000:    "lw7pb7agxp2",
		4294967295: "lw58n6kzru8",
	} {
		if got := ProductKey(pid); got != want {
			t.Errorf("ProductKey(%d) = %q, want %q", pid, got, want)
		}
	}
}

// The way back exists for every ProductID, so no two share a key.
func TestProductKeysDiffer(t *testing.T) {
	const keyInverse = 12126155259540 // of keyFactor, modulo 31^9
	back := func(key string) uint64 {
		k := uint64(0)
		for _, c := range key[len(keyMark):] {
			k = k*31 + uint64(strings.IndexRune(keyDigits, c))
		}
		k = (k + keySpace - keyOffset) % keySpace
		n := uint64(0)
		for bit := uint64(keyInverse); bit > 0; bit >>= 1 { // double and add: no product exceeds 64 bits
			if bit&1 == 1 {
				n = (n + k) % keySpace
			}
			k = 2 * k % keySpace
		}
		return n
	}
	rapid.Check(t, func(t *rapid.T) {
		pid := rapid.Uint32().Draw(t, "pid")
		key := ProductKey(ProductID(pid))
		if len(key) != 11 || back(key) != uint64(pid) {
			t.Errorf("ProductKey(%d) = %q, which leads back to %d", pid, key, back(key))
		}
	})
}

func TestParseProductID(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"0", ""},
		{"602", ""},
		{"4294967295", ""},
		{"4294967296", `product id "4294967296", want a decimal number up to 4294967295 without leading zeros`},
		{"0000025a", `product id "0000025a", want a decimal number up to 4294967295 without leading zeros`},
		{"00000602", `product id "00000602", want a decimal number up to 4294967295 without leading zeros`},
		{"+602", `product id "+602", want a decimal number up to 4294967295 without leading zeros`},
		{"", `product id "", want a decimal number up to 4294967295 without leading zeros`},
	} {
		p, err := ParseProductID(tt.in)
		if got := text(err); got != tt.want {
			t.Errorf("ParseProductID(%q)\n got %q\nwant %q", tt.in, got, tt.want)
		}
		if err == nil && p.String() != tt.in {
			t.Errorf("ParseProductID(%q) = %s", tt.in, p)
		}
	}
	if got := ProductID(2628).Hex(); got != "00000a44" {
		t.Errorf("Hex of 2628 = %q, want 00000a44", got)
	}
}

func TestParseMAC(t *testing.T) {
	const want = "78da07c11ca8"
	for _, in := range []string{
		"78da07c11ca8", "78DA07C11CA8", "78:da:07:c1:1c:a8", "78-DA-07-C1-1C-A8", "78 da 07 c1 1c a8", "78da.07c1.1ca8", "78da07-c11ca8",
	} {
		m, err := ParseMAC(in)
		if err != nil || m.String() != want {
			t.Errorf("ParseMAC(%q) = %v, %v, want %s", in, m, err, want)
		}
	}
	for _, in := range []string{
		"", "78da07c11ca", "78da07c11ca8a", "78da07c11cag", "78:da:07:c1:1c", "78:da:07:c1:1c:a8:00", "7:8da07c11ca8", "78:da-07:c1:1c:a8", "78da07c11ca8:",
		":78da07c11ca8", "78::da:07:c1:1c:a8", strings.Repeat("78:", 1000),
	} {
		if m, err := ParseMAC(in); text(err) != fmt.Sprintf("MAC %q, want twelve hexadecimal digits such as 78da07c11ca8 or 78:DA:07:C1:1C:A8", cut(in)) {
			t.Errorf("ParseMAC(%q) = %v, %v", in, m, err)
		}
	}
	m := mustMAC(t, want)
	if m.Upper() != "78DA07C11CA8" || MACOf(m.Uint64()) != m || m.Uint64() != 0x78da07c11ca8 {
		t.Errorf("%s: upper %s, number %x", m, m.Upper(), m.Uint64())
	}
	if b, err := json.Marshal(map[string]MAC{"mac": m}); string(b) != `{"mac":"78da07c11ca8"}` || err != nil {
		t.Errorf("JSON is %s, %v", b, err)
	}
	var n MAC
	if err := json.Unmarshal([]byte(`"78:DA:07:C1:1C:A8"`), &n); err != nil || n != m {
		t.Errorf("from JSON %v, %v", n, err)
	}
}

func FuzzParseMAC(f *testing.F) {
	for _, s := range []string{"78da07c11ca8", "78:DA:07:C1:1C:A8", "78da.07c1.1ca8", "", ":::::", "78 da 07 c1 1c a8"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) { // law: what is accepted is its digits and nothing else
		m, err := ParseMAC(s)
		if err != nil {
			return
		}
		digits := strings.Map(func(r rune) rune {
			if strings.ContainsRune(":-. ", r) {
				return -1
			}
			return r
		}, strings.ToLower(s))
		if m.String() != digits {
			t.Errorf("ParseMAC(%q) = %s, its digits are %s", s, m, digits)
		}
	})
}

// The secrets were computed by a Python program with hmac and hashlib from the words in the comment of Derive. They stand in devices.
func TestDeriveNeverChanges(t *testing.T) {
	const (
		one = "0190b5a0-7b0a-7000-8000-000000000001"
		two = "01939f2e-5c11-7abc-9def-0123456789ab"
	)
	var zero, counting, full [32]byte
	for i := range counting {
		counting[i], full[i] = byte(i), 0xff
	}
	for _, tt := range []struct {
		key        [32]byte
		product    string
		mac        string
		generation uint32
		want       string
	}{
		{zero, one, "78da07c11ca8", 1, "e1525b4d3134dc87ec108f8186a94427"},
		{counting, one, "78da07c11ca8", 1, "605478995bff7f03a5dcd2fc82406f21"},
		{counting, strings.ToUpper(one), "78da07c11ca8", 1, "605478995bff7f03a5dcd2fc82406f21"},
		{counting, one, "78da07c11ca8", 2, "e94787711119ac881668d14a949c0c1e"},
		{counting, one, "78da07c11ca9", 1, "024f652a0fe6082f5c9024db030a9a8c"},
		{counting, two, "78da07c11ca8", 1, "5eef9919903267419104ae56752ba49d"},
		{full, two, "ffffffffffff", 4294967295, "abcc3fd3cf253b11fb00d2a2747a9ce9"},
		{full, two, "000000000000", 0, "e9348883e4ccb71610832c25c0cd0e37"},
	} {
		mac := mustMAC(t, tt.mac)
		if got := Derive(tt.key, tt.product, mac, tt.generation).Reveal(); got != tt.want {
			t.Errorf("Derive(%x, %s, %s, %d) = %s, want %s", tt.key, tt.product, tt.mac, tt.generation, got, tt.want)
		}
		d := NewDeriver(tt.key, tt.product)
		d.Secret(MAC{1}, 7) // what came before does not matter
		if got := d.Secret(mac, tt.generation).Reveal(); got != tt.want {
			t.Errorf("Deriver.Secret(%s, %d) = %s, want %s", tt.mac, tt.generation, got, tt.want)
		}
	}
}

func TestSecretShowsItselfOnlyThroughReveal(t *testing.T) {
	s := mustSecret(t, someSecret)
	mac := mustMAC(t, "78da07c11ca8")
	whole := Triple{602, mac, s}
	type pocket struct{ secret Secret } // fmt cannot ask the methods of what is not exported
	var log strings.Builder
	logger := slog.New(slog.NewJSONHandler(&log, nil))
	logger.Info("x", "secret", s, "triple", whole, "pocket", pocket{s})
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "secret", s, "triple", whole, "pocket", pocket{s})
	all := []string{log.String()}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
		for _, v := range []any{s, &s, whole, &whole, []Secret{s}, map[int]Triple{1: whole}, pocket{s}, errors.Join(fmt.Errorf("%v", s))} {
			all = append(all, fmt.Sprintf(verb, v))
		}
	}
	for _, v := range []any{s, whole, pocket{s}, map[string]Secret{"a": s}} {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, string(b))
	}
	for _, got := range all {
		if strings.Contains(got, someSecret) || strings.Contains(strings.ToLower(got), fmt.Sprintf("%x", someSecret)) || strings.Contains(got, "49 53 54 53") {
			t.Errorf("the secret is shown: %s", got)
		}
	}
	if got := fmt.Sprint(s); got != "[secret]" {
		t.Errorf("printed %q, want [secret]", got)
	}
	if got := whole.String(); got != "602,78da07c11ca8,[secret]" {
		t.Errorf("triple printed %q", got)
	}
	if err := json.Unmarshal([]byte(`"`+someSecret+`"`), &s); text(err) != "a device secret is not read from JSON" {
		t.Errorf("reading from JSON: %v", err)
	}
	if s.Reveal() != someSecret {
		t.Errorf("revealed %q, want %q", s.Reveal(), someSecret)
	}
}

func TestSecretEqual(t *testing.T) {
	a, b, c := mustSecret(t, someSecret), mustSecret(t, someSecret), mustSecret(t, strings.Repeat("0", 32))
	if !a.Equal(b) || a.Equal(c) || a.Equal(Secret{}) || !(Secret{}).Equal(Secret{}) || !(Secret{}).IsZero() || a.IsZero() {
		t.Error("Equal or IsZero is wrong")
	}
	if (Secret{}).Reveal() != "" {
		t.Error("the zero value has a text")
	}
}

func TestParse(t *testing.T) {
	want := Triple{602, mustMAC(t, "78da07c11ca8"), mustSecret(t, someSecret)}
	for _, in := range []string{
		"602,78da07c11ca8," + someSecret,
		" 602, 78:DA:07:C1:1C:A8, " + someSecret + "\n",
		"602 " + someSecret + " 78da07c11ca8",
		"602\t" + someSecret + "\t78DA07C11CA8\n",
		want.Reveal(),
		want.RevealSpaced(),
	} {
		got, err := Parse(in)
		if err != nil || !got.Equal(want) {
			t.Errorf("Parse(%q) = %v, %v", in, got, err)
		}
	}
	for _, tt := range []struct{ in, want string }{
		{"", `triple has 1 parts, want "pid,mac,secret" or "pid secret mac"`},
		{"602,78da07c11ca8", `triple has 2 parts, want "pid,mac,secret" or "pid secret mac"`},
		{"602 78da07c11ca8 x y", `triple has 4 parts, want "pid,mac,secret" or "pid secret mac"`},
		{"x,78da07c11ca8," + someSecret, `triple: product id "x", want a decimal number up to 4294967295 without leading zeros`},
		{"602,78da," + someSecret, `triple: MAC "78da", want twelve hexadecimal digits such as 78da07c11ca8 or 78:DA:07:C1:1C:A8`},
		{"602,78da07c11ca8,abc", "triple: device secret has 3 characters, want 32 lower-case hexadecimal digits"},
		{"602,78da07c11ca8," + strings.ToUpper(someSecret), "triple: device secret has other characters than lower-case hexadecimal digits, want 32 of them"},
		{"602," + someSecret + ",78da07c11ca8", "triple: a text of 32 characters at the place of the MAC"},
	} {
		if _, err := Parse(tt.in); text(err) != tt.want {
			t.Errorf("Parse(%q)\n got %q\nwant %q", tt.in, text(err), tt.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"602,78da07c11ca8," + someSecret, "602 " + someSecret + " 78da07c11ca8", ",,", "  ", "1,2,3"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) { // law: either form of what was read reads as the same triple
		a, err := Parse(s)
		if err != nil {
			return
		}
		for _, form := range []string{a.Reveal(), a.RevealSpaced()} {
			if b, err := Parse(form); err != nil || !a.Equal(b) {
				t.Errorf("Parse(%q) = %v, whose form %q reads as %v, %v", s, a, form, b, err)
			}
		}
	})
}

func BenchmarkDerive(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		Derive([32]byte{}, "0190b5a0-7b0a-7000-8000-000000000001", MAC{}, 1)
	}
}

func BenchmarkDeriver(b *testing.B) {
	d := NewDeriver([32]byte{}, "0190b5a0-7b0a-7000-8000-000000000001")
	b.ReportAllocs()
	for b.Loop() {
		d.Secret(MAC{}, 1)
	}
}

func BenchmarkProductKey(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		ProductKey(2628)
	}
}
