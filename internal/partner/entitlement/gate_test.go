package entitlement

import (
	"strings"
	"testing"
	"time"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
)

// The gate closes acts of people at once when the operator decides, and leaves the platform alone.
func TestGate(t *testing.T) {
	s := newShop(t)
	if err := s.Gate(t.Context(), engineer, access.Speak); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Turn(t.Context(), operator, NewSwitch{Service: "voice", Emergency: true, Reason: "it burns"}); err != nil {
		t.Fatal(err)
	}
	if err := s.Gate(t.Context(), engineer, access.Speak); !fault.Is(err, fault.NotAllowed) {
		t.Errorf("after the switch: %v", err)
	}
	for _, who := range []access.Actor{operator, access.System("x", works), access.Clock("x", works)} {
		if err := s.Gate(t.Context(), who, access.Speak); err != nil {
			t.Errorf("the gate stops %s: %v", who.ID, err)
		}
	}
	if err := s.Gate(t.Context(), engineer, access.ControlDevice); err != nil {
		t.Errorf("the gate stops an act of another service: %v", err)
	}
}

// A measure against the organisation closes the service that it names.
func TestSuspendedService(t *testing.T) {
	s := newShop(t)
	s.exec(t, `
		INSERT INTO enforce_measure (id, subject_kind, subject, organisation, kind, service, state, cause, reason, evidence, imposed_by, created_at,
			starts_at, ends_at, due_at, appeal_until, closed_at, closed_by, closing)
		VALUES ('m', 'organisation', ?, ?, 'suspend_service', 'voice', 'in_force', 'abnormal_use', 'too loud', '[]', 'op', 1, 1, 0, 0, 0, 0, '', '')`, works, works)
	if got := s.require(t, works, "voice"); !strings.Contains(got, "the service voice is not open: service:voice is refused") {
		t.Errorf("got %q", got)
	}
	s.wants(t, works, "certification", "")
}

func BenchmarkGate(b *testing.B) {
	s := newShop(b)
	s.now = time.Now
	b.Run("believed", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := s.Gate(b.Context(), owner, access.Speak); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("read", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			s.verdicts.forget(works)
			if err := s.Gate(b.Context(), owner, access.Speak); err != nil {
				b.Fatal(err)
			}
		}
	})
}
