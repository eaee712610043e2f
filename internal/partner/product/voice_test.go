package product

import (
	"errors"
	"strings"
	"testing"
	"time"

	"lampworks/internal/infra/fault"
	"lampworks/tsl"
)

const (
	spokenLamp  = `{"names":{"zh-CN":["夜明珠"]},"properties":{"brightness":{"names":{"zh-CN":["珠光"]}}}}`
	spokenLamp2 = `{"names":{"zh-CN":["夜明珠"],"en":["night pearl"]},"replies":{"brightness":{"done":{"en":"Glowing at {value}."}}}}`
)

func TestVoiceDraftAndPublish(t *testing.T) {
	w := newWorks(t)
	p := w.dimmable(t)
	ctx := t.Context()
	d, err := w.VoiceDraft(ctx, w.maker, p.ID)
	if err != nil || d.Revision != 0 || string(d.Document) != "{}" || d.Version != 0 {
		t.Fatalf("without a draft VoiceDraft is %+v, %v", d, err)
	}
	if _, err := w.PublishVoice(ctx, w.maker, p.ID, ""); text(err) != "conflict: product "+p.ID+" has no voice configuration to publish" {
		t.Errorf("publishing nothing: %v", err)
	}
	w.pass(time.Second)
	broken, err := w.SaveVoice(ctx, w.maker, p.ID, NewDraft{Document: []byte(`{"names":{"zh-CN":["空调"]}}`)})
	if err != nil || len(broken.Problems) != 1 || broken.Changes != nil {
		t.Fatalf("a broken draft is %+v, %v", broken, err)
	}
	_, err = w.PublishVoice(ctx, w.maker, p.ID, "")
	if problems, ok := errors.AsType[tsl.Problems](err); !ok || len(problems) != 1 || fault.Of(err).Where != "/document/names/zh-CN/0" {
		t.Errorf("publishing a broken draft: %v", err)
	}
	if _, err := w.SaveVoice(ctx, w.maker, p.ID, NewDraft{Document: []byte(spokenLamp), Revision: broken.Revision + 1}); !fault.Is(err, fault.Outdated) {
		t.Errorf("saving over somebody's work: %v", err)
	}
	if _, err := w.SaveVoice(ctx, w.other, p.ID, NewDraft{Document: []byte(spokenLamp)}); !fault.Is(err, fault.Missing) {
		t.Errorf("another maker saves: %v", err)
	}
	if _, err := w.SaveVoice(ctx, w.maker, p.ID, NewDraft{Document: []byte(spokenLamp)}); err != nil {
		t.Fatal(err)
	}
	before, err := w.Wording(ctx, p.ID)
	if err != nil || before != nil {
		t.Errorf("a draft is in force: %v, %v", before, err)
	}
	v, err := w.PublishVoice(ctx, w.maker, p.ID, "first")
	if err != nil || v.Number != 1 || v.Model != 1 || len(v.Changes) != 2 {
		t.Fatalf("published %+v, %v", v, err)
	}
	now, err := w.Wording(ctx, p.ID)
	if err != nil || now == nil || now.Version != 1 || now.Voice.Names["zh-CN"][0] != "夜明珠" {
		t.Errorf("in force is %+v, %v", now, err)
	}
	if again, _ := w.Wording(ctx, p.ID); again != now {
		t.Error("the same version is another pointer")
	}
	if _, err := w.SaveVoice(ctx, w.maker, p.ID, NewDraft{Document: []byte(spokenLamp)}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.PublishVoice(ctx, w.maker, p.ID, ""); text(err) != "conflict: the voice configuration says nothing else than version 1" {
		t.Errorf("publishing the same: %v", err)
	}
}

func TestVoiceVersions(t *testing.T) {
	w := newWorks(t)
	p := w.dimmable(t)
	ctx := t.Context()
	for _, document := range []string{spokenLamp, spokenLamp2, spokenLamp} {
		if _, err := w.SaveVoice(ctx, w.maker, p.ID, NewDraft{Document: []byte(document)}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.PublishVoice(ctx, w.maker, p.ID, ""); err != nil {
			t.Fatal(err)
		}
	}
	page, next, err := w.Voices(ctx, w.maker, p.ID, 0, 2)
	if err != nil || len(page) != 2 || page[0].Number != 3 || page[0].Document != nil || next != 2 {
		t.Errorf("the list is %+v, %d, %v", page, next, err)
	}
	two, err := w.VoiceVersion(ctx, w.maker, p.ID, 2, 0)
	if err != nil || len(two.Changes) != 3 {
		t.Errorf("version 2 is %+v, %v", two, err)
	}
	three, err := w.VoiceVersion(ctx, w.maker, p.ID, 3, 1)
	if err != nil || len(three.Changes) != 0 || string(three.Document) != spokenLamp {
		t.Errorf("version 3 against 1 is %+v, %v", three, err)
	}
	if _, err := w.VoiceVersion(ctx, w.other, p.ID, 2, 0); !fault.Is(err, fault.Missing) {
		t.Errorf("another maker reads: %v", err)
	}
	if _, err := w.VoiceVersion(ctx, w.maker, p.ID, 4, 0); !fault.Is(err, fault.Missing) {
		t.Errorf("a version that is not: %v", err)
	}
}

// A configuration is checked against the thing model that it goes with, and published with it in one act or not at all.
func TestVoicePublishedWithTheModel(t *testing.T) {
	w := newWorks(t)
	p := w.dimmable(t)
	ctx := t.Context()
	const scented = `{"properties":[{"identifier":"scent","name":"S","accessMode":"rw","dataType":{"type":"int","specs":{"min":"0","max":"9"}}}]}`
	if _, err := w.SaveVoice(ctx, w.maker, p.ID, NewDraft{Document: []byte(spokenLamp)}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.SaveDraft(ctx, w.maker, p.ID, NewDraft{Document: []byte(scented)}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Publish(ctx, w.maker, p.ID, Publication{Voice: true}); !strings.Contains(text(err), "/properties/brightness is not a property of the thing model") {
		t.Errorf("a configuration of the old model went with the new one: %v", err)
	}
	if m, err := w.Load(ctx, w.maker, p.ID); err != nil || m.Version != 1 || m.Voice != 0 {
		t.Errorf("a refused act left versions %d and %d, %v", m.Version, m.Voice, err)
	}
	d, err := w.SaveVoice(ctx, w.maker, p.ID, NewDraft{Document: []byte(`{"properties":{"scent":{"names":{"zh-CN":["香薰浓度"]}}}}`)})
	if err != nil || len(d.Problems) != 1 {
		t.Fatalf("a configuration of the next model is %+v, %v", d, err)
	}
	if _, err := w.Publish(ctx, w.maker, p.ID, Publication{Voice: true}); err != nil {
		t.Fatal(err)
	}
	v, err := w.VoiceVersion(ctx, w.maker, p.ID, 1, 0)
	if err != nil || v.Model != 2 {
		t.Errorf("published %+v, %v", v, err)
	}
}
