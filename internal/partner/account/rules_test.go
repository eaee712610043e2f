package account

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

func TestNewUserRules(t *testing.T) {
	const login = ", want 3 to 64 letters, digits or . _ - @ +"
	const length = ", want 10 to 256 characters, no control characters"
	for _, tt := range []struct{ login, password, email, want string }{
		{"ann", good, "", ""},
		{"李雷雷", good, "li@example.com", ""},
		{strings.Repeat("a", 64), good, "", ""},
		{"ann.lee+lamp@example.com", "一二三四五六七八九十", "", ""},
		{"", good, "", "/login is empty" + login},
		{"an", good, "", "/login is an" + login},
		{strings.Repeat("a", 65), good, "", "/login is " + strings.Repeat("a", 61) + "…" + login},
		{"ann lee", good, "", "/login is ann lee" + login},
		{"ann\x00", good, "", "/login is ann\uFFFD" + login},
		{"<ann>", good, "", "/login is <ann>" + login},
		{"ann\xff", good, "", "/login is ann\uFFFD" + login},
		{"ann", "123456789", "", "/password is 9 characters" + length},
		{"ann", strings.Repeat("abcd", 64), "", ""},
		{"ann", strings.Repeat("abcd", 64) + "e", "", "/password is 257 characters" + length},
		{"ann", "lamp\x00lamp lamp", "", "/password is a password with characters that no keyboard gives" + length},
		{"ann", "abababababab", "", "/password is 2 different characters, want at least 4 different characters"},
		{"lamp.operator", "Lamp.Operator", "", "/password is the login, want another text than the login"},
		{"ann", good, "ann", "/email is ann, want an address name@host of at most 254 bytes"},
		{"ann", good, "a@b@c", "/email is a@b@c, want an address name@host of at most 254 bytes"},
		{"ann", good, "a@b\n", "/email is a@b\uFFFD, want an address name@host of at most 254 bytes"},
	} {
		_, err := NewUser{tt.login, NewPassword(tt.password), tt.email}.check()
		if got := text(err); got != tt.want {
			t.Errorf("%q %q %q\n got %q\nwant %q", tt.login, tt.password, tt.email, got, tt.want)
		}
	}
}

func TestProfileRules(t *testing.T) {
	lamp := Names{"en": "Lamp"}
	const name = ", want 1 to 100 characters, no control characters, no space around"
	for _, tt := range []struct {
		names Names
		kinds []Kind
		want  string
	}{
		{lamp, []Kind{ChipMaker, ModuleMaker, SoftwareProvider, HardwareProvider, TerminalMaker}, ""},
		{nil, []Kind{ChipMaker}, `/names is no name, want a name in "zh-CN" or "en"`},
		{Names{"fr": "Lampe"}, []Kind{ChipMaker}, `/names/fr is fr, want the language "zh-CN" or "en"`},
		{Names{"en": ""}, []Kind{ChipMaker}, "/names/en is empty" + name},
		{Names{"en": " Lamp"}, []Kind{ChipMaker}, "/names/en is  Lamp" + name},
		{Names{"en": "La\x1bmp"}, []Kind{ChipMaker}, "/names/en is La\uFFFDmp" + name},
		{lamp, nil, "/kinds is none, want one of chip_maker, module_maker, software_provider, hardware_provider, terminal_maker"},
		{lamp, []Kind{"bank"}, "/kinds/0 is bank, want one of chip_maker, module_maker, software_provider, hardware_provider, terminal_maker"},
		{lamp, []Kind{ChipMaker, ChipMaker}, "/kinds/1 is chip_maker, want each kind once"},
	} {
		if got := text(checkProfile(tt.names, tt.kinds)); got != tt.want {
			t.Errorf("%v %v\n got %q\nwant %q", tt.names, tt.kinds, got, tt.want)
		}
	}
}

// One password has one form, however the keyboard composed it.
func TestPasswordForm(t *testing.T) {
	h := newHasher(today)
	encoded, err := h.hash(t.Context(), NewPassword("lampe d'été 12")) // é as one character
	if err != nil {
		t.Fatal(err)
	}
	for password, want := range map[string]bool{
		"lampe d'été 12":             true,
		"lampe d'e\u0301te\u0301 12": true, // e and an accent
		"lampe d'ete 12":             false,
		"Lampe d'été 12":             false,
		"":                           false,
	} {
		if got, err := h.verify(t.Context(), encoded, NewPassword(password)); got != want || err != nil {
			t.Errorf("verify(%q) = %v, %v, want %v", password, got, err, want)
		}
	}
}

// What nobody asked to be cheap is not.
func TestHashesAreDear(t *testing.T) {
	encoded, err := New(Config{}).hasher.hash(t.Context(), NewPassword(good))
	if err != nil || !strings.HasPrefix(encoded, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Errorf("a hash is %.40s, %v", encoded, err)
	}
}

// A secret shows nowhere, not even inside a struct that fmt takes apart.
func TestSecretsCannotBePrinted(t *testing.T) {
	_, token := newAPIToken()
	held := struct {
		Password Password
		token    Token
		code     *Code
	}{NewPassword(good), token, &Code{hide("never shown")}}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		for _, v := range []any{held, &held, held.Password, &held.Password, held.token, held.code, []Password{held.Password}, map[string]Token{"a": held.token}} {
			got := fmt.Sprintf(verb, v)
			if strings.Contains(got, good) || strings.Contains(got, token.Reveal()) || strings.Contains(got, "never shown") || strings.Contains(got, fmt.Sprintf("%x", good)) {
				t.Errorf("%s of %T shows %s", verb, v, got)
			}
		}
	}
	b, err := json.Marshal(held)
	if want := `{"Password":"[secret]"}`; string(b) != want || err != nil {
		t.Errorf("JSON is %s, %v, want %s", b, err, want)
	}
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "password", held.Password, "held", held)
	if strings.Contains(log.String(), good) || strings.Contains(log.String(), token.Reveal()) {
		t.Errorf("the log shows %s", log.String())
	}
	if (Password{}).Reveal() != "" || NewPassword(good).Reveal() != good {
		t.Error("Reveal does not give the text")
	}
}

func FuzzLoginKey(f *testing.F) {
	for _, s := range []string{"ann", "ＡＮＮ", "李雷雷", "ſtraße", "İstanbul", "a\u0301nn", "Ω-1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, login string) {
		key, err := loginKey(login)
		if err != nil {
			return
		}
		if again, err := loginKey(key); err != nil || again != key {
			t.Errorf("%q becomes %q, and that %q, %v", login, key, again, err)
		}
	})
}

func FuzzHashForm(f *testing.F) {
	f.Add(encode(today, make([]byte, saltBytes), make([]byte, hashBytes)))
	f.Add("$argon2id$v=19$m=1,t=1,p=1$AAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA")
	f.Fuzz(func(t *testing.T, s string) {
		c, salt, sum, err := decode(s)
		if err != nil {
			return
		}
		c2, salt2, sum2, err := decode(encode(c, salt, sum))
		if err != nil || c2 != c || string(salt2) != string(salt) || string(sum2) != string(sum) {
			t.Errorf("%q does not survive: %v", s, err)
		}
	})
}
