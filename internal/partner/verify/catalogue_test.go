package verify

import (
	"strings"
	"testing"
	"time"

	"lampworks/internal/partner/account"
)

func TestCatalogue(t *testing.T) {
	c, err := ReadCatalogue(catalogueJSON)
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range account.Kinds() {
		for _, form := range []Form{FormOrganisation, FormPerson} {
			if fields, slots := c.FieldsOf(form, []account.Kind{kind.Kind}), c.SlotsOf(form, []account.Kind{kind.Kind}); len(fields) < 4 || len(slots) < 3 {
				t.Errorf("%s %s is asked for %d fields and %d papers", form, kind.Kind, len(fields), len(slots))
			}
		}
	}
	if c.Field("tuned_protocols") == nil || c.Slot("third_party_authorisation").Most < 2 {
		t.Error("a chip maker names no protocols, or may attach one licence of others only")
	}
	// a broken catalogue is refused, in words that lead to the place
	for _, tt := range []struct{ old, fresh, want string }{
		{`"rule": "unified_code"`, `"rule": "any"`, "value must be one of"},
		{`"slot": "trademark"`, `"slot": "other"`, "the paper other is given twice"},
		{`"papers": ["bluetooth_membership"]`, `"papers": ["nothing"]`, "the qualification bluetooth rests on the paper nothing, which there is not"},
		{`"level": 3`, `"level": 5`, "level 5 stands at place 3"},
		{`"qualifications": ["radio"]`, `"qualifications": ["none"]`, "level 3 asks for the qualification none, which there is not"},
		{`{"zh-CN": "联系人", "en": "Contact"}`, `{"en": "Contact"}`, "missing property 'zh-CN'"},
		{`"version": "2026-11-01"`, `"version": "soon"`, "is not valid date"},
		{`"code": "mismatch"`, `"code": "other"`, "the reason other is given twice"},
	} {
		text := strings.Replace(string(catalogueJSON), tt.old, tt.fresh, 1)
		if text == string(catalogueJSON) {
			t.Fatalf("%s does not stand in the catalogue", tt.old)
		}
		if _, err := ReadCatalogue([]byte(text)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("with %s\n got %v\nwant %s", tt.fresh, err, tt.want)
		}
	}
}

func TestRules(t *testing.T) {
	c, err := ReadCatalogue(catalogueJSON)
	if err != nil {
		t.Fatal(err)
	}
	today := time.Date(2026, 11, 27, 0, 0, 0, 0, time.UTC)
	for _, tt := range []struct{ field, value, want string }{
		{"unified_social_credit_code", "91330100799655058B", ""},
		{"unified_social_credit_code", "91110000100000044R", "its check character"},
		{"unified_social_credit_code", "91330100799655058C", "its check character"},
		{"unified_social_credit_code", "91330100799655085B", "its check character"}, // two exchanged
		{"unified_social_credit_code", "9133010079965505", "18 characters"},
		{"unified_social_credit_code", "9133010O799655058B", "digits and capital letters but"},
		{"unified_social_credit_code", "91A30100799655058B", "digits at places 3 to 8"},
		{"unified_social_credit_code", "91330100799655058b", "its check character"},
		{"resident_id", canaryID, ""},
		{"resident_id", "440524188001010014", ""},
		{"resident_id", "110105194912310021", "its check character"},
		{"resident_id", "11010519491231002x", "its check character"},
		{"resident_id", "11010519491331002X", "its check character"},
		{"resident_id", "11010519491331002" + check("11010519491331002"), "the date of birth"},
		{"resident_id", "11010520491231002" + check("11010520491231002"), "the date of birth"},
		{"resident_id", "1101051949123100", "18 characters"},
		{"resident_id", "1101051949123I002X", "17 digits"},
		{"contact_phone", "13800138000", ""},
		{"contact_phone", "0571-85022088", ""},
		{"contact_phone", "+8613800138000", ""},
		{"contact_phone", "12800138000", "a phone number"},
		{"contact_phone", "call me", "a phone number"},
		{"contact_email", "a@example.com", ""},
		{"contact_email", "A <a@example.com>", "an e-mail address"},
		{"contact_email", "a", "an e-mail address"},
		{"founded_on", "2010-05-01", ""},
		{"founded_on", "2026-11-27", ""},
		{"founded_on", "2026-11-28", "a date that has been"},
		{"founded_on", "2010-13-01", "a date that has been"},
		{"organisation_type", "enterprise", ""},
		{"organisation_type", "empire", "one of enterprise, sole_trader"},
		{"website", "https://example.com/a", ""},
		{"website", "javascript:alert(1)", "a text of the form"},
		{"legal_name", "灯", "2 to 100 characters"},
		{"legal_name", strings.Repeat("灯", 100), ""},
		{"legal_name", strings.Repeat("灯", 101), "2 to 100 characters"},
		{"legal_name", " 灯火", "without space around"},
		{"legal_name", "灯\x00火", "without control characters"},
		{"legal_name", "灯\xff火", "without control characters"},
	} {
		if got := c.Field(tt.field).broken(tt.value, today); tt.want == "" && got != "" || !strings.Contains(got, tt.want) {
			t.Errorf("%s %q\n got %q\nwant %q", tt.field, tt.value, got, tt.want)
		}
	}
	// a personal value is not told again by its refusal
	if err := c.Field("resident_id").check("110105194912310021", today); strings.Contains(said(err), "110105194912310021") {
		t.Errorf("the refusal says %v", err)
	}
}

// check is the check character of a resident id.
func check(digits string) string {
	for _, c := range "0123456789X" {
		if !strings.Contains(brokenResident(digits+string(c), time.Now().AddDate(90, 0, 0)), "check character") {
			return string(c)
		}
	}
	return ""
}

func TestMask(t *testing.T) {
	for in, want := range map[string]string{"": "", "灯": "灯*", "欧阳": "欧*", "12345678": "1*******", "123456789": "1****6789"} {
		if got := mask(in); got != want {
			t.Errorf("mask(%s) = %s, want %s", in, got, want)
		}
	}
}
