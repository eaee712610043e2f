package voice_test

import (
	"strings"
	"sync"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"lampworks/internal/fleet/command"
	"lampworks/internal/household/home"
	"lampworks/internal/household/voice"
	"lampworks/internal/partner/product"
)

// litterBox is a model whose words nobody would guess, and litterVoice how its maker has it spoken of.
const (
	litterBox = `{"properties":[
		{"identifier":"zx_mode","name":"ZX1","accessMode":"rw","dataType":{"type":"enum","specs":{"0":"M0","1":"M1"}}},
		{"identifier":"scent_lv","name":"ZX2","accessMode":"rw","dataType":{"type":"int","specs":{"min":"0","max":"10","step":"1"}}}],
		"services":[{"identifier":"rake","name":"ZX5","callType":"async","inputData":[],"outputData":[]},
		{"identifier":"dump","name":"ZX6","callType":"async","inputData":[],"outputData":[]}]}`
	litterVoice = `{"names":{"zh-CN":["猫砂盆"],"en":["litter box"]},
		"properties":{"zx_mode":{"names":{"zh-CN":["铲砂方式"],"en":["scoop style"]},"values":{"0":{"zh-CN":["随铲"],"en":["lazy scoop"]},"1":{"zh-CN":["勤铲"],"en":["eager scoop"]}}},
			"scent_lv":{"names":{"zh-CN":["香薰浓度"],"en":["scent strength"]},"verbs":{"raise":{"zh-CN":["加香"]},"lower":{"zh-CN":["减香"]}}}},
		"services":{"rake":{"phrases":{"zh-CN":["铲屎"],"en":["scoop the poop"]}},"dump":{"phrases":{"zh-CN":["倒空集便仓"],"en":["dump the drawer"]},"confirm":true}},
		"replies":{"rake":{"done":{"zh-CN":"{device}正在铲，请离远一点。","en":"{device} is scooping, keep clear."}},
			"scent_lv":{"done":{"zh-CN":"香味调到{value}了"}}}}`
)

// litter puts a litter box into the house and publishes how it is spoken of.
func (h *house) litter(t testing.TB) (productID string) {
	t.Helper()
	p, err := h.products.Create(t.Context(), h.who, product.NewProduct{Category: "pet_feeder", Names: product.Names{"en": "ZX"}, Document: []byte(litterBox)})
	if err != nil {
		t.Fatal(err)
	}
	id := issued(t, h.store, "org", p.ID, 1)[0]
	if _, err := h.homes.Bind(t.Context(), h.who, h.id, h.rooms["guest room"], id, home.Label{Names: home.Names{"zh-CN": "小白", "en": "Snowy"}}); err != nil {
		t.Fatal(err)
	}
	connected(t, h.store, true, id)
	reports(t, h.store, id, `{"scent_lv":{"v":3,"t":0}}`)
	h.device["litter"], h.called[id] = id, "litter"
	return p.ID
}

func (h *house) publishVoice(t testing.TB, id, document string) {
	t.Helper()
	if d, err := h.products.SaveVoice(t.Context(), h.who, id, product.NewDraft{Document: []byte(document)}); err != nil || len(d.Problems) > 0 {
		t.Fatal(err, d.Problems)
	}
	if _, err := h.products.PublishVoice(t.Context(), h.who, id, ""); err != nil {
		t.Fatal(err)
	}
}

// A product with names of its own is spoken to by the words of its maker, and answers in them.
func TestMakersWords(t *testing.T) {
	h := newHouse(t)
	id := h.litter(t)
	if a := h.say(t, "让猫砂盆铲屎"); a.Outcome == voice.Acted {
		t.Errorf("before the configuration: %+v", a)
	}
	h.publishVoice(t, id, litterVoice)
	for _, tt := range []struct {
		text, outcome, reply string
		sent                 []string
	}{
		{"让猫砂盆铲屎", "act", "好的，次卧的小白正在铲，请离远一点。", []string{"litter {}"}},
		{"litter box, scoop the poop", "act", "The guest room Snowy is scooping, keep clear.", []string{"litter {}"}},
		{"把猫砂盆的铲砂方式调到勤铲", "act", "好的，次卧的小白铲砂方式设为勤铲。", []string{`litter {"zx_mode":1}`}},
		{"set the scoop style of the litter box to lazy scoop", "act", "Scoop style of the guest room Snowy is set to lazy scoop.", []string{`litter {"zx_mode":0}`}},
		{"次卧的猫砂盆加香", "act", "好的，香味调到4了。", []string{`litter {"scent_lv":4}`}},
		{"倒空集便仓", "clarify", "", nil},
	} {
		a, err := h.voice.Say(t.Context(), h.who, voice.Sentence{Home: h.id, Text: tt.text, Speaker: tt.text})
		if err != nil {
			t.Fatal(err)
		}
		if a.Outcome != tt.outcome || tt.reply != "" && a.Reply != tt.reply {
			t.Errorf("%s\n got %s %s\nwant %s %s", tt.text, a.Outcome, a.Reply, tt.outcome, tt.reply)
		}
		if diff := gocmp.Diff(tt.sent, h.road.sent(h)); diff != "" {
			t.Errorf("%s: want → sent:\n%s", tt.text, diff)
		}
	}
}

// What failed is told as it always is.
func TestMakersRepliesNeverHideFailure(t *testing.T) {
	h := newHouse(t)
	h.publishVoice(t, h.litter(t), litterVoice)
	if a := h.say(t, "猫砂盆的香薰浓度调到3"); a.Outcome != voice.Acted || strings.Contains(a.Reply, "香味") {
		t.Errorf("what was so before: %s %s", a.Outcome, a.Reply)
	}
	h.road.ends[h.device["litter"]] = ended(command.Failed, command.Unconfirmed, "")
	if a := h.say(t, "铲屎"); a.Outcome != voice.Failed || a.Reply != "次卧的小白没有回应，不确定执行了没有。" {
		t.Errorf("%s %s", a.Outcome, a.Reply)
	}
}

// While versions are published, every sentence is read with one of them, and the first after a publication with the new one.
func TestVersionsChangeWhileSentencesAreSpoken(t *testing.T) {
	h := newHouse(t)
	id := h.litter(t)
	old, next := `{"names":{"zh-CN":["猫砂盆"]},"services":{"rake":{"phrases":{"zh-CN":["铲屎"]}}}}`, `{"names":{"zh-CN":["猫砂盆"]},"services":{"dump":{"phrases":{"zh-CN":["铲屎"]}}}}`
	h.publishVoice(t, id, old)
	done := make(chan struct{})
	var speaking sync.WaitGroup
	for range 4 {
		speaking.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				a, err := h.voice.Understand(t.Context(), h.who, voice.Sentence{Home: h.id, Text: "让猫砂盆铲屎"})
				if err != nil || len(a.Actions) != 1 || a.Actions[0].Service != "rake" && a.Actions[0].Service != "dump" {
					t.Errorf("%+v, %v", a, err)
					return
				}
			}
		})
	}
	for i := range 6 {
		document, service := next, "dump"
		if i%2 == 1 {
			document, service = old, "rake"
		}
		h.publishVoice(t, id, document)
		a, err := h.voice.Understand(t.Context(), h.who, voice.Sentence{Home: h.id, Text: "让猫砂盆铲屎"})
		if err != nil || len(a.Actions) != 1 || a.Actions[0].Service != service {
			t.Errorf("after publication %d the service is %+v, %v", i+1, a.Actions, err)
		}
	}
	close(done)
	speaking.Wait()
}
