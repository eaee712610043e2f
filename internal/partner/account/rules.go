package account

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/secure/precis"

	"lampworks/internal/infra/fault"
)

const (
	minLogin    = 3   // characters
	maxLogin    = 64  // characters
	minPassword = 10  // characters
	maxPassword = 256 // characters
	maxEmail    = 254 // bytes: RFC 5321 §4.5.3.1.3 less the angle brackets
	maxName     = 100 // characters of one name in one language
)

// Languages a name may be given in.
var languages = []string{"zh-CN", "en"}

// Names is what something is called, by language: "zh-CN", "en".
type Names map[string]string

// A Kind is what an organisation is in the trade. It may be several at once.
type Kind string

// The five kinds of developer organisations (service terms, clause 3.1.1).
const (
	ChipMaker        Kind = "chip_maker"        // 芯片制造商
	ModuleMaker      Kind = "module_maker"      // 模组制造商
	SoftwareProvider Kind = "software_provider" // 软件服务商
	HardwareProvider Kind = "hardware_provider" // 硬件服务商
	TerminalMaker    Kind = "terminal_maker"    // 智能终端厂商
)

// A KindName is a kind with its names, for lists to choose from.
type KindName struct {
	Kind  Kind
	Names Names
}

// Kinds lists the kinds an organisation may be of.
func Kinds() []KindName {
	return []KindName{
		{ChipMaker, Names{"zh-CN": "芯片制造商", "en": "Chip maker"}},
		{ModuleMaker, Names{"zh-CN": "模组制造商", "en": "Module maker"}},
		{SoftwareProvider, Names{"zh-CN": "软件服务商", "en": "Software service provider"}},
		{HardwareProvider, Names{"zh-CN": "硬件服务商", "en": "Hardware service provider"}},
		{TerminalMaker, Names{"zh-CN": "智能终端厂商", "en": "Terminal maker"}},
	}
}

// loginKey is the form of a login that must be unique: width and case folded, composed (RFC 8265, UsernameCaseMapped).
func loginKey(login string) (string, error) {
	bad := fault.Invalid("/login", login,
		fmt.Sprintf("%d to %d letters, digits or . _ - @ +", minLogin, maxLogin), "choose another login")
	if len(login) > 4*maxLogin {
		return "", bad
	}
	key, err := precis.UsernameCaseMapped.String(login)
	if err != nil {
		return "", bad
	}
	if n := utf8.RuneCountInString(key); n < minLogin || n > maxLogin {
		return "", bad
	}
	for _, r := range key {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) && !strings.ContainsRune("._-@+", r) {
			return "", bad
		}
	}
	return key, nil
}

// normal is the password in the one form all keyboards agree on (RFC 8265, OpaqueString). What that form does not allow
// is taken as it came: it matches nothing that [checkPassword] let in.
func (p Password) normal() []byte {
	text := p.Reveal()
	if len(text) > 4*maxPassword {
		return []byte(text[:4*maxPassword+1])
	}
	b, err := precis.OpaqueString.Bytes([]byte(text))
	if err != nil {
		return []byte(text)
	}
	return b
}

// checkPassword holds a new password of login against the rule. The error never quotes it.
func checkPassword(where string, p Password, login string) error {
	const fix = "choose a longer one; a few words that do not belong together do well"
	rule := fmt.Sprintf("%d to %d characters, no control characters", minPassword, maxPassword)
	text := p.Reveal()
	n := utf8.RuneCountInString(text)
	if n < minPassword || n > maxPassword {
		return fault.Invalid(where, fmt.Sprintf("%d characters", n), rule, fix)
	}
	if _, err := precis.OpaqueString.String(text); err != nil || !utf8.ValidString(text) {
		return fault.Invalid(where, "a password with characters that no keyboard gives", rule, "leave them out")
	}
	if strings.EqualFold(text, login) {
		return fault.Invalid(where, "the login", "another text than the login", fix)
	}
	if distinct(text) < 4 {
		return fault.Invalid(where, fmt.Sprintf("%d different characters", distinct(text)), "at least 4 different characters", fix)
	}
	return nil
}

func distinct(text string) int {
	seen := make(map[rune]bool)
	for _, r := range text {
		seen[r] = true
	}
	return len(seen)
}

// checkEmail accepts what may be an address; only a message that arrives proves it. Empty means none.
func checkEmail(email string) error {
	if email == "" {
		return nil
	}
	name, host, ok := strings.Cut(email, "@")
	if !ok || name == "" || host == "" || strings.Contains(host, "@") || len(email) > maxEmail || !plain(email) || strings.ContainsRune(email, ' ') {
		return fault.Invalid("/email", email, fmt.Sprintf("an address name@host of at most %d bytes", maxEmail), "correct it or leave it out")
	}
	return nil
}

func checkNames(where string, n Names) error {
	if len(n) == 0 {
		return fault.Invalid(where, "no name", `a name in "zh-CN" or "en"`, "give at least one")
	}
	for lang, name := range n {
		at := where + "/" + fault.Cut(lang)
		if !slices.Contains(languages, lang) {
			return fault.Invalid(at, lang, `the language "zh-CN" or "en"`, "use one of the two")
		}
		if err := checkText(at, name, 1, maxName); err != nil {
			return err
		}
	}
	return nil
}

// checkText holds one line of text against a length in characters.
func checkText(where, text string, least, most int) error {
	if n := utf8.RuneCountInString(text); n < least || n > most || !plain(text) || strings.TrimSpace(text) != text {
		return fault.Invalid(where, text, fmt.Sprintf("%d to %d characters, no control characters, no space around", least, most), "correct it")
	}
	return nil
}

func checkProfile(names Names, kinds []Kind) error {
	if err := checkNames("/names", names); err != nil {
		return err
	}
	return checkKinds(kinds)
}

func checkKinds(kinds []Kind) error {
	all := Kinds()
	seen := make(map[Kind]bool)
	for i, k := range kinds {
		where := fmt.Sprintf("/kinds/%d", i)
		if !slices.ContainsFunc(all, func(n KindName) bool { return n.Kind == k }) {
			return fault.Invalid(where, string(k), KindRule(), "choose one of them")
		}
		if seen[k] {
			return fault.Invalid(where, string(k), "each kind once", "leave the second out")
		}
		seen[k] = true
	}
	if len(kinds) == 0 {
		return fault.Invalid("/kinds", "none", KindRule(), "choose at least one of them")
	}
	return nil
}

// KindRule names the kinds an organisation may be of: "one of chip_maker, …".
func KindRule() string {
	var kinds []string
	for _, n := range Kinds() {
		kinds = append(kinds, string(n.Kind))
	}
	return "one of " + strings.Join(kinds, ", ")
}

// plain reports whether s is UTF-8 without control characters.
func plain(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl)
}

func marshal(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // maps and slices of strings always encode
	}
	return string(b)
}
