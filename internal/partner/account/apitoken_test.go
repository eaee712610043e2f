package account

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/listing"
	"lampworks/internal/infra/store"
)

func contains(b []byte, s string) bool { return bytes.Contains(b, []byte(s)) }

func TestTokenForm(t *testing.T) {
	prefix, token := newAPIToken()
	text := token.Reveal()
	if len(text) != 64 || !strings.HasPrefix(text, "lw_"+prefix+"_") {
		t.Errorf("%d characters with prefix %s", len(text), prefix)
	}
	session := newSessionToken().Reveal()
	for in, want := range map[string]tokenKind{
		text: apiToken, session: sessionToken,
		"": noToken, "lw_": noToken, "lws_": noToken, text + "a": noToken, text[:63]: noToken, session + "a": noToken, session[1:]: noToken,
		strings.Replace(text, prefix+"_", prefix+"-", 1): noToken, strings.Repeat("lw_", 1<<20): noToken,
	} {
		if got := kindOf(in); got != want {
			t.Errorf("kindOf(%.70q) = %d, want %d", in, got, want)
		}
	}
}

func TestMakeTokenRules(t *testing.T) {
	w := newTown(t)
	now := w.clock.now()
	for _, tt := range []struct {
		n    NewToken
		want string
	}{
		{NewToken{Name: "ci"}, ""},
		{NewToken{Name: "ci", Scopes: []access.Act{access.ReadDevice}, ExpiresAt: now.Add(longestLife)}, ""},
		{NewToken{}, "/name is empty, want 1 to 100 characters, no control characters, no space around"},
		{NewToken{Name: strings.Repeat("灯", 100)}, ""},
		{NewToken{Name: strings.Repeat("x", 101)}, "/name is " + strings.Repeat("x", 61) + "…, want 1 to 100 characters, no control characters, no space around"},
		{NewToken{Name: "ci", Scopes: []access.Act{}}, "/scopes is none, want at least one act"},
		{NewToken{Name: "ci", Scopes: []access.Act{"everything"}}, "/scopes/0 is everything, want one of the 40 that GET /api/v1/session lists"},
		{NewToken{Name: "ci", Scopes: []access.Act{"job.read", "job.read"}}, "/scopes/1 is job.read, want each act once"},
		{NewToken{Name: "ci", ExpiresAt: time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)}, "/expires_at is 2001-02-03T04:05:06Z, want a time in the next 366 days"},
		{NewToken{Name: "ci", ExpiresAt: time.Date(2999, 2, 3, 4, 5, 6, 0, time.UTC)}, "/expires_at is 2999-02-03T04:05:06Z, want a time in the next 366 days"},
	} {
		_, _, err := w.MakeToken(t.Context(), w.owner, tt.n)
		if got := text(err); got != tt.want {
			t.Errorf("MakeToken(%v)\n got %q\nwant %q", tt.n, got, tt.want)
		}
	}
}

func TestTokensAreLimited(t *testing.T) {
	w := newTown(t)
	for range tokensPerOne {
		w.token(t, w.owner)
	}
	_, _, err := w.MakeToken(t.Context(), w.owner, NewToken{Name: "one more"})
	if got, want := text(err), "number of tokens in force is 100, the limit is 100"; got != want {
		t.Errorf("\n got %q\nwant %q", got, want)
	}
	w.clock.pass(tokenLife)
	w.token(t, w.owner) // the others have expired
}

func TestTokenDoesNoMoreThanItsMaker(t *testing.T) {
	w := newTown(t)
	ctx := t.Context()
	_, all := w.token(t, w.owner)
	made, narrow := w.token(t, w.owner, access.ReadDevice, access.OperatePlatform)
	who, err := w.Authenticate(ctx, all, away)
	if err != nil || who.Kind != access.KindToken || who.User != w.owner.User || who.Organisation != w.org.ID || !who.May(access.IssueTriples) || who.May(access.OperatePlatform) || who.From != away {
		t.Errorf("a token of the owner acts as %+v, %v", who, err)
	}
	who, err = w.Authenticate(ctx, narrow, away)
	if err != nil || who.ID != made.ID || !who.May(access.ReadDevice) || who.May(access.WriteDevice) || who.May(access.OperatePlatform) {
		t.Errorf("a token with scopes acts as %+v, %v", who, err)
	}
	// It follows the role of its maker at once.
	if _, err := w.AddMember(ctx, w.operator, w.org.ID, "operator", access.Owner); err != nil {
		t.Fatal(err)
	}
	if err := w.SetRole(ctx, w.operator, w.org.ID, w.owner.User, access.Market); err != nil {
		t.Fatal(err)
	}
	who, err = w.Authenticate(ctx, narrow, away)
	if err != nil || who.May(access.ReadDevice) {
		t.Errorf("after its maker's role changed it acts as %+v, %v", who, err)
	}
	// The operator's token for an organisation does not act for the platform, one without organisation does.
	s := w.login(t, "operator")
	if err := w.SelectOrganisation(ctx, s.Actor, s.Token.Reveal(), w.org.ID); err != nil {
		t.Fatal(err)
	}
	operator := w.again(t, s)
	_, forOrg := w.token(t, operator)
	operator.Organisation = ""
	_, forPlatform := w.token(t, operator)
	who, err = w.Authenticate(ctx, forOrg, home)
	if err != nil || !slices.Equal(who.Roles, []access.Role{access.Owner}) || who.Organisation != w.org.ID {
		t.Errorf("the operator's token for the organisation acts as %+v, %v", who, err)
	}
	who, err = w.Authenticate(ctx, forPlatform, home)
	if err != nil || !slices.Equal(who.Roles, []access.Role{access.Admin}) || who.Organisation != "" {
		t.Errorf("the operator's token acts as %+v, %v", who, err)
	}
}

func TestTokenEnds(t *testing.T) {
	w := newTown(t)
	ctx := t.Context()
	made, token := w.token(t, w.owner)
	s, err := w.LoginToken(ctx, token, home, "")
	if err != nil || s.Actor.Kind != access.KindToken || s.Actor.ID != made.ID || s.APIToken != made.ID {
		t.Fatalf("a session with a token: %+v, %v", s, err)
	}
	if err := w.SelectOrganisation(ctx, s.Actor, s.Token.Reveal(), w.org.ID); !fault.Is(err, fault.NotAllowed) {
		t.Errorf("such a session moves to another organisation: %v", err)
	}
	both := func() (string, string) {
		_, err1 := w.Authenticate(ctx, token, home)
		_, err2 := w.Authenticate(ctx, s.Token.Reveal(), home)
		return text(err1), text(err2)
	}
	if a, b := both(); a != "" || b != "" {
		t.Fatalf("while in force: %q, %q", a, b)
	}
	if err := w.RevokeToken(ctx, w.owner, made.ID); err != nil {
		t.Fatal(err)
	}
	if a, b := both(); a != badToken || b != badToken {
		t.Errorf("once revoked: %q, %q", a, b)
	}
	if _, err := w.LoginToken(ctx, token, home, ""); text(err) != badToken {
		t.Errorf("a session with a revoked token: %v", err)
	}
	entries := w.entries(t)
	if err := w.RevokeToken(ctx, w.owner, made.ID); err != nil || w.entries(t) != entries {
		t.Errorf("revoking again: %v, %d more entries", err, w.entries(t)-entries)
	}
	_, token = w.token(t, w.owner)
	if s, err = w.LoginToken(ctx, token, home, ""); err != nil {
		t.Fatal(err)
	}
	for range 2 * 90 { // used twice a day, to the last moment
		if a, b := both(); a != "" || b != "" {
			t.Fatalf("in its 90 days: %q, %q", a, b)
		}
		if s, err = w.LoginToken(ctx, token, home, ""); err != nil {
			t.Fatal(err)
		}
		w.clock.pass(12*time.Hour - time.Millisecond)
	}
	w.clock.pass(time.Second)
	if a, b := both(); a != badToken || b != badToken {
		t.Errorf("after 90 days: %q, %q", a, b)
	}
}

func TestLastUseIsExactToAMinute(t *testing.T) {
	w := newTown(t)
	ctx := t.Context()
	_, token := w.token(t, w.owner)
	used := func() time.Time {
		page, err := w.Tokens(ctx, w.owner, listing.Ask{})
		if err != nil {
			t.Fatal(err)
		}
		return page.Items[0].UsedAt
	}
	if !used().IsZero() {
		t.Fatal("used before its first use")
	}
	first := w.clock.now()
	for range 11 { // ten uses within the minute are one
		if _, err := w.Authenticate(ctx, token, home); err != nil {
			t.Fatal(err)
		}
		if got := used(); !got.Equal(first) {
			t.Fatalf("last use %s, want %s", got, first)
		}
		w.clock.pass(believedFor)
	}
	w.clock.pass(believedFor)
	if _, err := w.Authenticate(ctx, token, home); err != nil {
		t.Fatal(err)
	}
	if got, want := used(), w.clock.now(); !got.Equal(want) {
		t.Errorf("after a minute: last use %s, want %s", got, want)
	}
}

// The tokens of an organisation count against its limit while they are in force, whoever made them, and no longer.
func TestTokensOfAnOrganisation(t *testing.T) {
	w := newTown(t)
	ctx := t.Context()
	used := func() (n int) {
		t.Helper()
		err := w.store.Read(ctx, func(v *store.View) error {
			return v.QueryRow(ctx, "SELECT COALESCE(SUM(used), 0) FROM quota_used WHERE subject = ? AND name = 'api_tokens'", w.org.ID).Scan(&n)
		})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	w.user(t, "bob")
	if _, err := w.AddMember(ctx, w.operator, w.org.ID, "bob", access.Engineer); err != nil {
		t.Fatal(err)
	}
	bob := w.login(t, "bob").Actor
	made, _ := w.token(t, w.owner)
	w.token(t, w.owner)
	w.token(t, bob)
	w.token(t, bob)
	if got := used(); got != 4 {
		t.Errorf("%d tokens are counted, want 4", got)
	}
	err := w.store.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(ctx, "UPDATE quota_used SET used = 500 WHERE subject = ? AND name = 'api_tokens'", w.org.ID)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := w.MakeToken(ctx, bob, NewToken{Name: "one more"}); !fault.Is(err, fault.OverLimit) {
		t.Errorf("one beyond the limit: %v", err)
	}
	if err := w.RevokeToken(ctx, w.owner, made.ID); err != nil {
		t.Fatal(err)
	}
	if err := w.RevokeToken(ctx, w.owner, made.ID); err != nil {
		t.Fatal(err)
	}
	if got := used(); got != 499 {
		t.Errorf("after one was revoked %d are counted, want 499", got)
	}
	if err := w.RemoveMember(ctx, w.owner, w.org.ID, bob.User); err != nil {
		t.Fatal(err)
	}
	if got := used(); got != 497 {
		t.Errorf("after their maker left %d are counted, want 497", got)
	}
	w.clock.pass(tokenLife)
	if err := w.sweepTokens(ctx); err != nil {
		t.Fatal(err)
	}
	if got := used(); got != 496 {
		t.Errorf("after the last expired %d are counted, want 496", got)
	}
}
