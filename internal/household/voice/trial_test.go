package voice_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"lampworks/internal/household/voice"
	"lampworks/internal/infra/fault"
	"lampworks/internal/partner/product"
)

// reaches lists sentences with how far they came.
func reaches(all []voice.Tried) (out []string) {
	for _, s := range all {
		out = append(out, s.Text+": "+s.Reach)
	}
	return out
}

// A maker sees what a home would make of sentences, with words that are not published; nothing is sent.
func TestTrialInAHome(t *testing.T) {
	h := newHouse(t)
	id := h.litter(t)
	if _, err := h.products.SaveVoice(t.Context(), h.who, id, product.NewDraft{Document: []byte(litterVoice)}); err != nil {
		t.Fatal(err)
	}
	out, err := h.voice.Try(t.Context(), h.who, voice.TrialRequest{
		Product: id, Home: h.id, Sentences: []string{"让猫砂盆铲屎", "打开客厅的灯", "今天天气怎么样", "打开主卧和次卧的台灯", "dump the drawer", "把一楼的台灯打开"},
	})
	if err != nil || len(out.Problems) > 0 || out.Sample {
		t.Fatalf("%+v, %v", out, err)
	}
	want := []string{"让猫砂盆铲屎: reached", "打开客厅的灯: elsewhere", "今天天气怎么样: not_understood", "打开主卧和次卧的台灯: elsewhere", "dump the drawer: reached", "把一楼的台灯打开: not_understood"}
	if got := reaches(out.Sentences); !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
	if a := out.Sentences[0].Actions; len(a) != 1 || a[0].Service != "rake" || !a[0].Targets[0].Mine || a[0].Targets[0].Name != "小白" {
		t.Errorf("the first comes to %+v", a)
	}
	if !out.Sentences[4].Confirm {
		t.Error("what is to be confirmed does not say so")
	}
	if sent := h.road.sent(h); len(sent) > 0 {
		t.Errorf("a trial sent %q", sent)
	}
	if said, err := h.products.Wording(t.Context(), id); err != nil || said != nil {
		t.Errorf("a trial put a draft in force: %v, %v", said, err)
	}
}

// Every sentence that is made of a good configuration comes to the product, in both languages.
func TestSentencesOfAConfiguration(t *testing.T) {
	h := newHouse(t)
	out, err := h.voice.Try(t.Context(), h.who, voice.TrialRequest{Product: h.litter(t), Document: []byte(litterVoice)})
	if err != nil || len(out.Canonical) < 16 || len(out.Canonical) > voice.MaxCanonical {
		t.Fatalf("%d sentences, %v", len(out.Canonical), err)
	}
	langs := map[string]int{}
	for _, s := range out.Canonical {
		langs[s.Lang]++
		if s.Reach != voice.Reached {
			t.Errorf("%s (%s): %s %s %s %+v", s.Text, s.About, s.Reach, s.Outcome, s.Reason, s.Actions)
		}
	}
	if langs["zh-CN"] < 7 || langs["en"] < 7 {
		t.Errorf("languages: %v", langs)
	}
}

// A product without a configuration is tried with the words of its category and its model.
func TestSentencesOfACategory(t *testing.T) {
	h := newHouse(t)
	all, err := product.Categories()
	if err != nil {
		t.Fatal(err)
	}
	for i := range all {
		category := all[i].Name
		p, err := h.products.Create(t.Context(), h.who, product.NewProduct{Category: category, Names: product.Names{"en": category}})
		if err != nil {
			t.Fatal(err)
		}
		out, err := h.voice.Try(t.Context(), h.who, voice.TrialRequest{Product: p.ID})
		if err != nil || len(out.Canonical) == 0 {
			t.Fatalf("%s: %d sentences, %v", category, len(out.Canonical), err)
		}
		for _, s := range out.Canonical {
			if s.Reach != voice.Reached {
				t.Errorf("%s: %s (%s): %s %s %s %+v", category, s.Text, s.About, s.Reach, s.Outcome, s.Reason, s.Actions)
			}
		}
	}
}

// Words that something in the home has are told, with the thing that has them.
func TestTrialTellsCollisions(t *testing.T) {
	h := newHouse(t)
	out, err := h.voice.Try(t.Context(), h.who, voice.TrialRequest{
		Product: h.litter(t), Home: h.id,
		Document: []byte(`{"names":{"zh-CN":["猫砂盆","一楼"]},"properties":{"zx_mode":{"names":{"zh-CN":["摆风","小白"]}}}}`),
	})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range out.Collisions {
		got = append(got, fmt.Sprintf("%s %s %s %s", c.Where, c.Word, c.With, c.Name))
	}
	for _, want := range []string{"/names/zh-CN/1 一楼 floor 一楼", "/properties/zx_mode/names/zh-CN/1 小白 device 小白"} {
		if !slices.Contains(got, want) {
			t.Errorf("collisions are %q, want %q among them", got, want)
		}
	}
}

func TestBadTrials(t *testing.T) {
	h := newHouse(t)
	id := h.litter(t)
	other := owner("elsewhere")
	for _, tt := range []struct {
		in   voice.TrialRequest
		want fault.Code
	}{
		{voice.TrialRequest{Product: id, Sentences: slices.Repeat([]string{"铲屎"}, voice.MaxTried+1)}, fault.OverLimit},
		{voice.TrialRequest{Product: id, Sentences: []string{""}}, fault.Malformed},
		{voice.TrialRequest{Product: id, Sentences: []string{strings.Repeat("铲", voice.MaxText)}}, fault.Malformed},
		{voice.TrialRequest{Product: id, Sentences: []string{"\xff"}}, fault.Malformed},
		{voice.TrialRequest{Product: id, Home: "none"}, fault.Missing},
		{voice.TrialRequest{Product: "none"}, fault.Missing},
		{voice.TrialRequest{Product: id, Document: []byte(`{`)}, fault.Malformed},
	} {
		if _, err := h.voice.Try(t.Context(), h.who, tt.in); !fault.Is(err, tt.want) {
			t.Errorf("%.60v: %v, want %s", tt.in, err, tt.want)
		}
	}
	if _, err := h.voice.Try(t.Context(), other, voice.TrialRequest{Product: id}); !fault.Is(err, fault.Missing) {
		t.Errorf("another maker's product: %v", err)
	}
	broken, err := h.voice.Try(t.Context(), h.who, voice.TrialRequest{Product: id, Document: []byte(`{"names":{"zh-CN":["猫砂盆"]},"services":{"dig":{}}}`), Sentences: []string{"打开猫砂盆"}})
	if err != nil || len(broken.Problems) != 1 || len(broken.Sentences) != 1 {
		t.Errorf("with a problem: %+v, %v", broken, err)
	}
}
